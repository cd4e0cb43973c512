import { dlopen } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";

/** termios(3), Linux: suspends output, and lets it go on. */
const TCOOFF = 0;
const TCOON = 1;

let libc: ReturnType<typeof load> | undefined;
const load = () => dlopen("libc.so.6", { tcflow: { args: ["i32", "i32"], returns: "i32" } });

/**
 * Makes whoever writes to a terminal wait, or go on. Bun reads a terminal's other end as fast as it is written to and cannot be told to
 * stop, so the writers are: by the kernel, whatever modes they have set.
 * @param path of the terminal, `/dev/pts/N`
 */
export function holdOutput(path: string, isHeld: boolean): void {
  libc ??= load();
  try {
    // Not kept open: while anybody has it open, the other end does not end. Without O_NOCTTY it would become ours.
    const file = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    libc.symbols.tcflow(file, isHeld ? TCOOFF : TCOON);
    closeSync(file);
  } catch {
    // its processes are gone, and it with them
  }
}
