import { closeSync, type FSWatcher, fstatSync, lstatSync, readSync, watch } from "node:fs";
import { dirname } from "node:path";
import { openRegular } from "../host/files.ts";

const CHUNK = 65_536;

/** Offset at which the last `lines` lines of an open file begin. */
function tailOffset(file: number, lines: number): number {
  let offset = fstatSync(file).size;
  const buffer = Buffer.alloc(CHUNK);
  let wanted = lines;
  let isLastByte = true; // a newline at the very end closes the last line, it begins none
  while (offset > 0) {
    const start = Math.max(0, offset - CHUNK);
    const read = readSync(file, buffer, 0, offset - start, start);
    for (let index = read - 1; index >= 0; index--) {
      if (buffer[index] === 10 && !isLastByte && --wanted <= 0) return start + index + 1;
      isLastByte = false;
    }
    offset = start;
  }
  return 0;
}

/**
 * The last `tail` lines of a log file, then, when `follow` is set, whatever is added, until the signal aborts or the directory is gone.
 * A file that was cut (rotation by copy and truncate) or replaced is read on from its new beginning; one that is not there yet is waited for.
 * Yields bytes as they stand in the file: from the guest, not to be trusted.
 */
export async function* readLog(
  path: string,
  options: { tail: number; follow: boolean; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const change = options.follow ? changes(dirname(path), options.signal) : null;
  let file: number | null = null;
  let inode = 0;
  let offset = 0;
  let isFirst = true;
  let hasRead: boolean;
  try {
    do {
      const found = statOrNull(path);
      if (found && (file === null || found.ino !== inode)) {
        if (file !== null) closeSync(file);
        file = openRegular(path);
        if (file === null) break; // something else has been put there
        inode = found.ino;
        offset = isFirst ? (options.tail > 0 ? tailOffset(file, options.tail) : found.size) : 0;
      } else if (found && found.size < offset) offset = 0;
      isFirst = false;
      hasRead = false;
      while (file !== null && !options.signal.aborted) {
        const buffer = Buffer.alloc(CHUNK);
        const read = readSync(file, buffer, 0, CHUNK, offset);
        if (read === 0) break;
        offset += read;
        hasRead = true;
        yield buffer.subarray(0, read);
      }
      if (!found && file !== null) {
        // An open file keeps its removed directory in the kernel, which then never reports the removal.
        closeSync(file);
        file = null;
      }
      if (!found && statOrNull(dirname(path)) === null) break;
    } while (change && (await change.next(hasRead)));
  } finally {
    change?.close();
    if (file !== null) closeSync(file);
  }
}

const statOrNull = (path: string) => {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
};

/** Bun reports an event only when the same one was not reported within the last 16 ms; after this time nothing is held back. */
const QUIET_MS = 40;

/** Wakes when something in the directory may have changed: it is watched as a whole, so that a file made later or replaced is seen. */
function changes(directory: string, signal: AbortSignal) {
  let isDirty = false;
  let wasEvent = false;
  let wake = () => {};
  const notice = () => {
    isDirty = true;
    wake();
  };
  let watcher: FSWatcher | null = null;
  try {
    watcher = watch(directory, notice);
    watcher.on("error", notice);
  } catch {
    // No directory, nothing to follow: the first look ends it.
  }
  signal.addEventListener("abort", notice, { once: true });
  return {
    /**
     * @param isBusy the file was just written to. After that, or after an event, another may be held back: it looks once more soon.
     * @returns false when there is nothing more to wait for.
     */
    async next(isBusy: boolean): Promise<boolean> {
      if (!isDirty && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = isBusy || wasEvent ? setTimeout(resolve, QUIET_MS) : undefined;
        await promise;
        clearTimeout(timer);
      }
      wasEvent = isDirty;
      isDirty = false;
      return !signal.aborted;
    },
    close() {
      signal.removeEventListener("abort", notice);
      watcher?.close();
    },
  };
}
