import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that goes away with the test: `using directory = temporaryDirectory()`. */
export function temporaryDirectory(): Disposable & { path: string; join(...parts: string[]): string } {
  const path = mkdtempSync(join(tmpdir(), "hype-test-"));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
