import { dlopen, ptr } from "bun:ffi";

/** `struct termios` of glibc is 60 bytes; the output flags are its second word, and OPOST their first bit. */
const TERMIOS_BYTES = 128;
const OUTPUT_FLAGS_AT = 4;
const OPOST = 1;
const TCSADRAIN = 1;

/**
 * Bun's raw mode is that of libuv, which goes on turning each line feed into two characters. A program on the other end has done so already
 * where it wants it, and means a bare one as it is.
 * @returns undoes it
 */
export function rawOutput(fd: number): Disposable {
  try {
    const libc = dlopen("libc.so.6", {
      tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
      tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
    });
    const before = new Uint8Array(TERMIOS_BYTES);
    if (libc.symbols.tcgetattr(fd, ptr(before)) !== 0) return nothing;
    const raw = before.slice();
    raw[OUTPUT_FLAGS_AT] = (raw[OUTPUT_FLAGS_AT] as number) & ~OPOST;
    libc.symbols.tcsetattr(fd, TCSADRAIN, ptr(raw));
    return { [Symbol.dispose]: () => void libc.symbols.tcsetattr(fd, TCSADRAIN, ptr(before)) };
  } catch {
    return nothing; // another C library: lines are as they were
  }
}

const nothing: Disposable = { [Symbol.dispose]() {} };
