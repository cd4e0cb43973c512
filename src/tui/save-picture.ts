import { open } from "node:fs/promises";
import { join } from "node:path";

const MOST_NUMBERS = 1_000;

/** Writes `NAME.png`, or with a number where that is taken. @returns its path @throws what the file system throws */
export async function savePicture(directory: string, vm: string, bytes: Uint8Array): Promise<string> {
  for (let number = 0; ; number++) {
    const path = join(directory, `${vm}${number === 0 ? "" : `-${number}`}.png`);
    try {
      const file = await open(path, "wx");
      await file.writeFile(bytes).finally(() => file.close());
      return path;
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "EEXIST" || number >= MOST_NUMBERS) throw thrown;
    }
  }
}
