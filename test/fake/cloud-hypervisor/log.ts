import { openSync, writeSync } from "node:fs";

/** The log: stderr, or a file that is cut at start. Levels: warn without -v, info with one, debug with two. */
export class Log {
  private constructor(
    private readonly fd: number,
    private readonly verbosity: number,
  ) {}

  static open(path: string | null, verbosity: number): Log {
    return new Log(path === null ? 2 : openSync(path, "w", 0o666), verbosity);
  }

  error(text: string): void {
    this.#line("ERROR", text);
  }
  warn(text: string): void {
    this.#line("WARN", text);
  }
  info(text: string): void {
    if (this.verbosity >= 1) this.#line("INFO", text);
  }

  #line(level: string, text: string): void {
    const seconds = (performance.now() / 1000).toFixed(6);
    try {
      writeSync(this.fd, `cloud-hypervisor: ${seconds.padStart(11)}s: <vmm> ${level}:fake -- ${text}\n`);
    } catch {
      // A full disk or a file size limit does not end the original.
    }
  }
}
