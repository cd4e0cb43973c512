import { copyFileSync, existsSync, statSync, truncateSync, watch, writeFileSync } from "node:fs";

/** Bun's watcher swallows a change within some 16 ms of the last one (measured, 1.4.5): a look after that sees both. */
const TRAILING_MS = 20;

/**
 * Keeps a log file that another process appends to (O_APPEND) below a size: at the limit it is copied to `<path>.1` and cut to nothing.
 * What is written between the two steps is lost; a flooding guest must not fill the disk. Event-driven (inotify).
 */
export function boundLog(path: string, maxBytes: number): Disposable {
  if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600 });
  const rotate = () => {
    try {
      if (statSync(path).size <= maxBytes) return;
      copyFileSync(path, `${path}.1`);
      truncateSync(path, 0);
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
