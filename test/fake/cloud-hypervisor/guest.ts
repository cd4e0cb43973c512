import { readFileSync } from "node:fs";
import type { Subprocess } from "bun";
import type { FullConfig } from "./config.ts";
import type { GuestDeed } from "./moods.ts";

/** What a guest tells its VMM. */
export type Deed = (deed: GuestDeed, detail: string) => void;

export type DiskCounters = { read_bytes: number; read_ops: number; write_bytes: number; write_ops: number };

/** The machine behind vm.boot. */
export interface Guest {
  /** Returns when its CPUs run. @throws Error with what it said when it cannot start. */
  start(config: FullConfig): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  powerButton(): Promise<void>;
  nmi(): Promise<void>;
  /** @param bytes what the balloon shall take. */
  setBalloon(bytes: number): Promise<void>;
  /** What its disks have read and written so far, in the order of the config. */
  diskCounters(): Promise<DiskCounters[]>;
  /** Ends it at once and waits until it is gone. */
  end(): Promise<void>;
}

/** util-linux: the child dies with this process, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG). */
export const dieWithMe = (argv: string[]): string[] => ["setpriv", "--pdeathsig", "KILL", "--", ...argv];

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return ""; // it is gone
  }
}

/** Nothing at all, or a program that stands for the guest; for tests of everything around a machine. */
export class StubGuest implements Guest {
  #child: Subprocess | null = null;
  #ended = false;

  constructor(
    private readonly command: string[] | undefined,
    private readonly deed: Deed,
  ) {}

  async start(): Promise<void> {
    if (!this.command) return;
    this.#child = Bun.spawn(dieWithMe(this.command), { stdin: "ignore", stdout: "inherit", stderr: "inherit" });
    void this.#child.exited.then((code) => {
      if (!this.#ended) this.deed(code === 0 ? "power-off" : "die", `the guest's program ended with ${code}`);
    });
  }
  async pause(): Promise<void> {
    if (!this.#child) return;
    this.#child.kill("SIGSTOP");
    // The kernel stops a process a moment after it was told to.
    while (/^State:\s+[RSD]/m.test(status(this.#child.pid))) await new Promise((next) => setImmediate(next));
  }
  async resume(): Promise<void> {
    this.#child?.kill("SIGCONT");
  }
  async powerButton(): Promise<void> {
    this.#child?.kill("SIGTERM");
  }
  async nmi(): Promise<void> {}
  async setBalloon(): Promise<void> {}
  async diskCounters(): Promise<DiskCounters[]> {
    return [];
  }
  async end(): Promise<void> {
    this.#ended = true;
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }
}
