import type { Client } from "../../client/types.ts";
import type { Download } from "../../contract/download.ts";
import { HypeError } from "../../contract/errors.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

/** The download a person means: by id or its beginning, or by file name; of several the newest. @throws HypeError download_not_found */
export async function pick(client: Client, vm: string, wanted: string | undefined): Promise<Download> {
  const { items } = await client.browser.operate(vm, "list-downloads", {});
  const found =
    wanted === undefined
      ? items.at(-1)
      : (items.find(({ id }) => id === wanted) ??
        items.findLast(({ name }) => name === wanted) ??
        items.findLast(({ id }) => wanted.length >= 4 && id.startsWith(wanted)));
  if (found) return found;
  throw new HypeError(
    "download_not_found",
    wanted === undefined ? `nothing was downloaded in ${vm}` : `there is no download ${wanted} in ${vm}`,
    { remedy: `\`hype downloads list ${vm}\` shows what there is.` },
  );
}

/** A site chose the name, and the guest passed it on: it must stay a name in the directory where the command runs. */
export function localName(name: string): string {
  const plain = sanitizeLine(name)
    .replace(/[/\\]/g, "_")
    .replace(/^[.\s]+/, "")
    .trim();
  return Buffer.from(plain).length <= 200 && plain !== "" ? plain : "download";
}
