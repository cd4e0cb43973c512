import type { ContentPart } from "@ag-ui/core";
import { line } from "../tools/markdown.ts";
import type { ToolResult } from "../tools/tool.ts";

/** Larger pictures are told of, not sent: the thread carries them to and fro from then on. */
const PART_BYTES = 4 * 1024 * 1024;

/** What a tool gave, as a message's content: plain text where there is nothing else. */
export function contentOf({ text, images = [], links = [] }: ToolResult): string | ContentPart[] {
  const parts: ContentPart[] = [];
  const left: string[] = [];
  const source = (bytes: Uint8Array, mimeType: string) => ({
    type: "data" as const,
    value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
    mimeType,
  });
  for (const { bytes, mimeType } of images)
    if (bytes.length <= PART_BYTES) parts.push({ type: "image", source: source(bytes, mimeType) });
    else left.push(`The picture (${bytes.length} bytes) is too large for a message: ask for a part, or for jpeg.`);
  for (const { uri, name, mimeType } of links) left.push(`${line(name)} (${line(mimeType)}): ${line(uri)}`);
  const said = [text, ...left].join("\n");
  return parts.length === 0 ? said : [{ type: "text", text: said }, ...parts];
}
