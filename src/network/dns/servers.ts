import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";

/** Between two looks at the file, milliseconds. */
const LOOK_MS = 1_000;
/** resolv.conf(5): the resolver library looks at the first three. */
const MOST = 3;

/** Name servers that answer for us: the configured ones, else the host's, read again when its file changed. */
export class NameServers {
  #lookedAtMs = -Infinity;
  #stamp = "";
  #found: string[] = [];

  /** @param own our own address, which must not be asked. */
  constructor(
    private readonly configured: readonly string[] | null,
    private readonly own: string,
    private readonly path = "/etc/resolv.conf",
    private readonly lookMs = LOOK_MS,
  ) {}

  list(): readonly string[] {
    if (this.configured) return this.configured;
    const now = performance.now();
    if (now - this.#lookedAtMs < this.lookMs) return this.#found;
    this.#lookedAtMs = now;
    try {
      const { mtimeMs, ino, size } = statSync(this.path);
      const stamp = `${mtimeMs} ${ino} ${size}`;
      if (stamp !== this.#stamp) this.#found = this.#read();
      this.#stamp = stamp;
    } catch {
      this.#found = [];
      this.#stamp = "";
    }
    return this.#found;
  }

  #read(): string[] {
    const servers = readFileSync(this.path, "utf8")
      .split("\n")
      .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? "")
      .filter((address) => isIP(address.split("%")[0]!) !== 0 && address !== this.own);
    return servers.slice(0, MOST);
  }
}
