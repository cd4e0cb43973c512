import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { RUN_MARK } from "./leftovers.ts";

/** The built program; process and VM tests speak to nothing else. */
export const HYPE = join(import.meta.dir, "..", "..", "dist", "hype");
/** Where `hype image build` of the check puts images; tests only read them. */
export const TEST_IMAGE_DIR = process.env.OVERHYPED_TEST_IMAGE_DIR ?? join(homedir(), ".overhyped", "images");

const KVM_VERDICT = join(dirname(TEST_IMAGE_DIR), "kvm-probe.json");

export type Ran = { code: number; stdout: string; stderr: string };

/** A state directory of its own, with the shared images; what a command run in it sees of the environment is only this. */
export class SealedHome implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), "hype-test-"));
  readonly env: Record<string, string>;
  #servers: Served[] = [];

  constructor(extra: Record<string, string> = {}) {
    if (!existsSync(HYPE)) throw new Error("dist/hype is not there: bun run build");
    mkdirSync(join(this.path, "state"), { mode: 0o700 });
    // KVM is probed once per boot of the host, not once per test.
    if (existsSync(KVM_VERDICT)) copyFileSync(KVM_VERDICT, join(this.path, "state", "kvm-probe.json"));
    this.env = {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: this.path,
      LANG: "C.UTF-8",
      OVERHYPED_HOME: join(this.path, "state"),
      OVERHYPED_CONFIG: "/dev/null", // not that of the host the tests run on
      OVERHYPED_IMAGE_DIR: TEST_IMAGE_DIR,
      OVERHYPED_API_LISTEN: "127.0.0.1:0",
      ...(process.env[RUN_MARK] ? { [RUN_MARK]: process.env[RUN_MARK] } : {}),
      ...extra,
    };
  }

  /** Runs a command to its end. */
  async run(
    args: string[],
    options: { cwd?: string; stdin?: string; env?: Record<string, string> } = {},
  ): Promise<Ran> {
    const child = Bun.spawn([HYPE, ...args], {
      cwd: options.cwd ?? this.path,
      env: { ...this.env, ...options.env },
      stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Runs a command that must succeed. */
  async ok(args: string[], options: Parameters<SealedHome["run"]>[1] = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(`hype ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts `hype serve` and returns when it serves; later commands of this home find it. */
  async serve(env: Record<string, string> = {}): Promise<Served> {
    const log = Bun.file(join(this.path, `serve-${this.#servers.length}.log`));
    const child = Bun.spawn([HYPE, "serve", "--json"], {
      cwd: this.path,
      env: { ...this.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: log,
    });
    const reader = child.stdout.getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`hype serve ended with ${await child.exited}: ${await log.text()}`);
      text += new TextDecoder().decode(value);
    }
    reader.releaseLock();
    const { url, admin_key_file } = JSON.parse(text) as { url: string; admin_key_file: string };
    this.env.OVERHYPED_API_BASE = url;
    const served: Served = {
      url,
      pid: child.pid,
      key: (await Bun.file(admin_key_file).text()).trim(),
      log: () => log.text(),
      stop: async (signal = "SIGTERM") => {
        child.kill(signal);
        return await child.exited;
      },
    };
    this.#servers.push(served);
    return served;
  }

  /** Deletes every VM (with a server if need be), stops servers, removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#servers.at(-1);
    if (last) {
      if ((await this.run(["vms", "list", "--json"])).code !== 0) await this.serve();
      await this.run(["vms", "delete", "--all", "--yes"]);
    }
    for (const server of this.#servers) await server.stop();
    rmSync(this.path, { recursive: true, force: true });
  }
}

export type Served = {
  url: string;
  pid: number;
  key: string;
  log(): Promise<string>;
  /** Signals the server and waits for its end. @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number>;
};
