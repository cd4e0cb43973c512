import * as v from "valibot";
import { type Download, GetDownload, HypeError, ReadDownload } from "../contract/index.ts";
import { asText } from "./artifacts.ts";
import { elementOf, onPage, optionalTarget, vm, words } from "./fields.ts";
import { joined, line, listed } from "./markdown.ts";
import { onBrowser, onTab } from "./on-tab.ts";
import { family } from "./tool.ts";

const tool = family("files");
const TIMEOUT_MS = 60_000;
/** A file larger than this is told of, not read. */
const READ_BYTES = 1024 * 1024;

const downloadLine = ({ id, name, state, received_bytes: received, total_bytes: total, url }: Download): string =>
  `[${id}] ${line(name, 200)}: ${state}, ${received}${total === null ? "" : ` of ${total}`} bytes, from ${line(url, 300)}`;

export const fileTools = [
  tool({
    name: "browser_downloads",
    title: "Downloads",
    description:
      "Lists what the browser downloaded; with id, waits for that download's end and shows a text file's content.",
    isDefault: true,
    input: v.strictObject({ vm, id: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/))) }),
    effect: "read",
    handle: (input, context) =>
      onBrowser(context, input.vm, async (guest, signal) => {
        const { downloads } = guest;
        if (input.id === undefined) {
          const { items } = await downloads.list({ timeout_ms: TIMEOUT_MS }, signal);
          const text = items.length === 0 ? "Nothing was downloaded." : listed(items.map(downloadLine));
          return { text, structured: { downloads: items.map(({ id, name, state }) => ({ id, name, state })) } };
        }
        const got = await downloads.get(v.parse(GetDownload, { id: input.id, wait: true }), signal);
        const link = {
          uri: `hype://vms/${context.house.get(input.vm).name}/downloads/${got.id}`,
          name: line(got.name, 200),
          mimeType: got.type,
          bytes: got.received_bytes,
        };
        if (got.state !== "completed") return { text: downloadLine(got) };
        const text = await textOf(guest.downloads, got, signal);
        return { text: joined(downloadLine(got), text), links: [link] };
      }),
  }),
  tool({
    name: "browser_file_upload",
    title: "Upload files",
    description:
      "Puts files of the guest into a file input (`target`, else the page's only one). paths: in the guest; none: clears it.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      target: optionalTarget,
      paths: v.optional(v.pipe(v.array(words(4_096)), v.maxLength(100)), []),
    }),
    isOpenWorld: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const element = input.target === undefined ? { selector: "input[type=file]" } : elementOf(input.target);
        await on.guest.page.act(
          "upload",
          { ...element, paths: input.paths, tab: on.tab, timeout_ms: 15_000 },
          on.signal,
        );
        return { text: `${input.paths.length} files are chosen.` };
      }),
  }),
];

/** The content of a small text; null where it is neither. */
async function textOf(
  downloads: { read(request: ReadDownload, signal: AbortSignal): Promise<{ bytes: AsyncIterable<Uint8Array> }> },
  { id, received_bytes: size }: Download,
  signal: AbortSignal,
): Promise<string | null> {
  if (size === 0 || size > READ_BYTES) return null;
  const { bytes } = await downloads.read(v.parse(ReadDownload, { id }), signal);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > READ_BYTES) throw new HypeError("result_too_large", "the download is larger than the guest said");
    chunks.push(chunk);
  }
  return asText(Buffer.concat(chunks));
}
