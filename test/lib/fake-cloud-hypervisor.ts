import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GuestDeed, Moods } from "../fake/cloud-hypervisor/moods.ts";

const MAIN = join(import.meta.dir, "../fake/cloud-hypervisor/main.ts");

export type { Moods } from "../fake/cloud-hypervisor/moods.ts";
export type Violation = { pid: number; call: string; what: string };

/**
 * The stand-in for `cloud-hypervisor` (test/fake/cloud-hypervisor/main.ts) as an executable, with moods of its own and a directory
 * that any user may reach, since the VMM may run as somebody else: `using program = fakeCloudHypervisor({ guest: "stub" })`.
 */
export function fakeCloudHypervisor(moods: Partial<Moods> = {}, place: Place = {}): FakeCloudHypervisor {
  return new FakeCloudHypervisor(moods, place);
}

export type Place = {
  /** Directory to make it in, as this process sees it; and as those see it who run it, e.g. on a host of its own. */
  at?: { here: string; there: string };
  /** One file that needs neither this checkout nor this Bun: a user who may reach neither can run it. */
  standalone?: boolean;
};

export class FakeCloudHypervisor implements Disposable {
  readonly directory: string;
  /** To be started as `cloud-hypervisor`. It becomes the stand-in: the pid stays the same. */
  readonly program: string;

  constructor(moods: Partial<Moods>, { at, standalone = false }: Place) {
    this.directory = at?.here ?? mkdtempSync(join(tmpdir(), "hype-fake-ch-"));
    mkdirSync(this.directory, { recursive: true });
    const seen = at?.there ?? this.directory;
    this.program = join(seen, "cloud-hypervisor");
    chmodSync(this.directory, 0o755);
    mkdirSync(join(this.directory, "orders"));
    chmodSync(join(this.directory, "orders"), 0o777);
    for (const name of ["violations", "starts"]) {
      writeFileSync(join(this.directory, name), "");
      chmodSync(join(this.directory, name), 0o666);
    }
    this.moods(moods);
    const command = standalone ? `'${join(seen, "stand-in")}'` : `'${process.execPath}' '${MAIN}'`;
    if (standalone) compile(join(this.directory, "stand-in"));
    const program = join(this.directory, "cloud-hypervisor");
    writeFileSync(program, `#!/bin/sh\nFAKE_CH_DIR='${seen}' exec ${command} "$@"\n`, { mode: 0o755 });
    chmodSync(program, 0o755);
  }

  /** Moods of those that start from now on. */
  moods(moods: Partial<Moods>): void {
    const path = join(this.directory, "fake-ch.json");
    writeFileSync(path, JSON.stringify(moods));
    chmodSync(path, 0o644);
  }

  /** What was asked of it that the original would have swallowed in silence; a test expects none. */
  violations(): Violation[] {
    return lines(join(this.directory, "violations")) as Violation[];
  }

  /** How it was started, the first time first. */
  starts(): { pid: number; cwd: string; argv: string[] }[] {
    return lines(join(this.directory, "starts")) as { pid: number; cwd: string; argv: string[] }[];
  }

  /** Pids of those that have not come to their end properly. */
  running(): number[] {
    return readdirSync(join(this.directory, "orders")).map((name) => Number.parseInt(name, 10));
  }

  /** What the guest of a running one does, and does it as if by itself. */
  async guest(pid: number, deed: GuestDeed): Promise<void> {
    await this.#order(pid, `guest/${deed}`, {});
  }

  /** Lets a call go on that the mood `stall` holds. */
  async release(pid: number, call: string): Promise<void> {
    await this.#order(pid, `release/${call}`, {});
  }

  /** Returns when that call has come and is being held. */
  async held(pid: number, call: string): Promise<void> {
    await this.#order(pid, `held/${call}`, null);
  }

  /** Other moods for a running one; what is not named stays. */
  async change(pid: number, moods: Partial<Moods>): Promise<void> {
    await this.#order(pid, "moods", moods);
  }

  /** Every request a running one has had. */
  async calls(pid: number): Promise<{ method: string; path: string; body: unknown }[]> {
    return (await this.#order(pid, "calls", null)) as { method: string; path: string; body: unknown }[];
  }

  async #order(pid: number, path: string, body: object | null): Promise<unknown> {
    const response = await fetch(`http://orders/${path}`, {
      unix: join(this.directory, "orders", `${pid}.sock`),
      ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function compile(program: string): void {
  const argv = [process.execPath, "build", "--compile", "--target=bun", `--outfile=${program}`, MAIN];
  const { exitCode, stderr } = Bun.spawnSync(argv, { stdin: "ignore", stdout: "ignore" });
  if (exitCode !== 0) throw new Error(`the stand-in cannot be compiled: ${stderr}`);
  chmodSync(program, 0o755);
}

function lines(path: string): unknown[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}
