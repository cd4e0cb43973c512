import { chmod, writeFile } from "node:fs/promises";
import { HypeError, messageOf } from "../../contract/errors.ts";

/** Writes a file the user named. @param mode of a new file, less the umask; any other than 0666 also of one that is there. @throws HypeError usage (the name cannot be written) | disk_full */
export async function writeOutput(path: string, data: Uint8Array, mode = 0o666): Promise<void> {
  try {
    await writeFile(path, data, { mode });
    if (mode !== 0o666) await chmod(path, mode); // a file that was there keeps its own
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new HypeError("disk_full", `no space left while writing ${path}`, { path }, { cause: thrown });
    throw new HypeError("usage", `${path} cannot be written: ${messageOf(thrown)}`, {
      path,
      remedy: "Name a file in a directory you may write to.",
    });
  }
}
