import { chmodSync, realpathSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { HypeError } from "../../contract/index.ts";
import { FIRST_DESCRIPTOR, MAX_DESCRIPTORS } from "./command.ts";

type Opened = { path: string; mode: "read" | "append" };

/**
 * Files a VMM with a user of its own is to open though they lie below directories that are closed to it, /root say, whose modes are not
 * ours to loosen. The command opens them before it gives up being root, and the VMM opens them again by descriptor: the kernel then
 * asks for the rights to the file itself, not to the way there (proc_pid_fd(5)).
 */
export class Reach {
  readonly files: Opened[] = [];

  /**
   * @param uid user of the VMM; null: the server's own, whose names are good.
   * @param imageDir images are made of public packages: a file there that others may not read was made under a strict umask.
   */
  constructor(
    private readonly uid: number | null,
    private readonly imageDir: string,
  ) {}

  /** @throws HypeError jail_unavailable when the file itself is closed to the VMM's user. */
  nameOf(path: string, mode: Opened["mode"]): string {
    if (this.uid === null) return path;
    if (mode === "read") this.#mustBeReadable(path);
    if (isOpenTo(dirname(path)) && isOpenTo(dirname(realpathSync(path)))) return path;
    const known = this.files.findIndex((file) => file.path === path && file.mode === mode);
    if (known < 0 && this.files.length === MAX_DESCRIPTORS)
      throw new HypeError("jail_unavailable", `a VMM cannot be handed more than ${MAX_DESCRIPTORS} files`);
    const index = known < 0 ? this.files.push({ path, mode }) - 1 : known;
    return `/proc/self/fd/${FIRST_DESCRIPTOR + index}`;
  }

  #mustBeReadable(path: string): void {
    const { mode } = statSync(path);
    if ((mode & 0o004) !== 0) return;
    if (!join(path).startsWith(join(this.imageDir, sep)))
      throw new HypeError(
        "jail_unavailable",
        `uid ${this.uid} may not read ${path}: chmod o+r it, or set OVERHYPED_JAIL=off`,
        { path },
      );
    chmodSync(path, (mode & 0o7777) | 0o444);
  }
}

/** True when everybody may walk to a directory: search permission for others on it and all its parents. */
export function isOpenTo(directory: string): boolean {
  for (let path = directory; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
