import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, watch, writeSync } from "node:fs";
import { openRegular } from "./files.ts";

/** Bun's watcher swallows a change within some 16 ms of the last one (measured, 1.4.5): a look after that sees both. */
const TRAILING_MS = 20;

/**
 * Keeps a log file that another process appends to (O_APPEND) below a size: at the limit its end is copied to `<path>.1` and it is cut to
 * nothing. What is written between the two steps is lost; a flooding guest must not fill the disk. Event-driven (inotify). A link or
 * anything else that is no regular file is left alone.
 */
export function boundLog(path: string, maxBytes: number): Disposable {
  closeSync(
    openSync(path, constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600),
  );
  const rotate = () => {
    try {
      const file = openRegular(path, constants.O_RDWR);
      if (file !== null) cut(file, `${path}.1`, maxBytes);
    } catch {
      // The file went away with its VM.
    }
  };
  let trailing: Timer | undefined;
  const watcher = watch(path, () => {
    rotate();
    clearTimeout(trailing);
    trailing = setTimeout(rotate, TRAILING_MS);
  });
  watcher.on("error", () => {});
  rotate();
  return {
    [Symbol.dispose]() {
      clearTimeout(trailing);
      watcher.close();
    },
  };
}

/** Moves the last `maxBytes` of an open file that is longer into another one; closes it. */
function cut(file: number, kept: string, maxBytes: number): void {
  try {
    const { size } = fstatSync(file);
    if (size <= maxBytes) return;
    const flags =
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const copy = openSync(kept, flags, 0o600);
    try {
      const buffer = Buffer.alloc(maxBytes);
      const read = readSync(file, buffer, 0, maxBytes, size - maxBytes);
      writeSync(copy, buffer, 0, read);
    } finally {
      closeSync(copy);
    }
    ftruncateSync(file, 0);
  } finally {
    closeSync(file);
  }
}
