import { writeFile } from "node:fs/promises";
import { HypeError, messageOf } from "../../contract/errors.ts";

/** Writes a file the user named. @throws HypeError usage (the name cannot be written) | disk_full */
export async function writeOutput(path: string, data: Uint8Array): Promise<void> {
  try {
    await writeFile(path, data);
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
