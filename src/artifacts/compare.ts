import type { Log } from "../log/log.ts";
import type { Store } from "../store/store.ts";
import type { ArtifactFiles } from "./files.ts";

/**
 * Whether rows and files fit together. Says in the log where they do not and changes nothing: what is missing may lie on a disk that is
 * not mounted, and what belongs to no row to a database that was restored.
 */
export async function compare(
  store: Store,
  files: ArtifactFiles,
  log: Log,
): Promise<{ missing: number; strangers: number }> {
  const found = new Set<string>();
  for await (const sha256 of files.all()) found.add(sha256);
  // Nothing else comes in between from here on: a file that is newer than the look has a row, and is looked for.
  let missing = 0;
  for (const { sha256, size_bytes } of store.artifacts.files()) {
    if (files.sizeOf(sha256) !== size_bytes) missing++;
    found.delete(sha256);
  }
  let strangers = 0;
  for (const sha256 of found) if (files.sizeOf(sha256) !== null) strangers++;
  if (missing > 0) log.warn(`${missing} files of artifacts are missing or damaged in ${files.directory}`, { missing });
  if (strangers > 0)
    log.warn(`${strangers} files in ${files.directory} belong to no artifact of this database; they are left alone`, {
      strangers,
    });
  return { missing, strangers };
}
