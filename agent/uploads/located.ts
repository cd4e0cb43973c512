import { HypeError } from "../../src/contract/index.ts";
import type { Uploads } from "./uploads.ts";

type Given = { files?: string[] | undefined; paths?: string[] | undefined };

/**
 * An upload action with the places of the files it names.
 * @throws HypeError `upload_not_found` | `invalid_request`
 */
export function located<A extends Given>(uploads: Uploads, action: A): A {
  const { files, paths } = action;
  if ((files === undefined) === (paths === undefined))
    throw new HypeError(
      "invalid_request",
      "give files (names of uploads) or paths (of files in the guest), one of them",
    );
  return files ? { ...action, files: undefined, paths: files.map((name) => uploads.path(name)) } : action;
}
