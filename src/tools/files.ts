import * as v from "valibot";
import {
  ArtifactId,
  type Download,
  GetDownload,
  HypeError,
  ReadDownload,
  type Upload,
  UploadName,
  WriteUpload,
} from "../contract/index.ts";
import { asText } from "./artifacts.ts";
import { elementOf, onPage, optionalTarget, vm, words } from "./fields.ts";
import { joined, line, listed } from "./markdown.ts";
import { onBrowser, onTab, untilDisposed } from "./on-tab.ts";
import { tellWaiting } from "./tell-waiting.ts";
import { family, type ToolContext } from "./tool.ts";

const tool = family("files");
const TIMEOUT_MS = 60_000;
/** A file larger than this is told of, not read. */
const READ_BYTES = 1024 * 1024;

/** Inline bytes in base64, characters: a message of a caller holds 1 MB in all. */
const INLINE_CHARACTERS = 1_000_000;

export const downloadLine = ({
  id,
  name,
  state,
  received_bytes: received,
  total_bytes: total,
  url,
}: Download): string =>
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
        const request = v.parse(GetDownload, { id: input.id, wait: true });
        const what = () => "waiting for the download to end";
        const got = await tellWaiting(context, request.timeout_ms, what, () => downloads.get(request, signal));
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
      "Puts files into a file input (`target`, else the page's only one). files: by their names of vm_put_file; paths: in the guest; neither: clears it.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      target: optionalTarget,
      files: v.optional(v.pipe(v.array(UploadName), v.maxLength(100))),
      paths: v.optional(v.pipe(v.array(words(4_096)), v.maxLength(100))),
    }),
    isOpenWorld: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const element = input.target === undefined ? { selector: "input[type=file]" } : elementOf(input.target);
        const { files, paths = files ? undefined : [] } = input;
        const chosen = { ...(files && { files }), ...(paths && { paths }) };
        await on.guest.page.act("upload", { ...element, ...chosen, tab: on.tab, timeout_ms: 15_000 }, on.signal);
        return { text: `${(files ?? paths ?? []).length} files are chosen.` };
      }),
  }),
  tool({
    name: "vm_put_file",
    title: "Put a file into a VM",
    description:
      "Puts a file into the VM, for browser_file_upload: an artifact's, text, or base64 (at most 700 KB). One of that name is replaced.",
    input: v.strictObject({
      vm,
      name: UploadName,
      artifact: v.optional(ArtifactId),
      text: v.optional(v.pipe(v.string(), v.maxLength(INLINE_CHARACTERS))),
      base64: v.optional(v.pipe(v.string(), v.maxLength(INLINE_CHARACTERS), v.base64("is not base64"))),
    }),
    output: v.object({ name: v.string(), bytes: v.number(), sha256: v.string() }),
    isIdempotent: true,
    handle: ({ vm: ref, name, ...given }, context) =>
      onBrowser(context, ref, async (guest, signal) => {
        using reading = untilDisposed();
        const { about, bytes } = sourceOf(given, context, reading.signal);
        const put: Upload = await guest.uploads.write(v.parse(WriteUpload, { name, ...about }), bytes, signal);
        return {
          text: `${line(put.name, 255)} is in ${context.house.get(ref).name}, ${put.bytes} bytes: choose it with browser_file_upload, files.`,
          structured: { name: put.name, bytes: put.bytes, sha256: put.sha256 },
        };
      }),
  }),
];

type Given = { artifact?: string | undefined; text?: string | undefined; base64?: string | undefined };

/** What is put in, and what the guest holds it against. @throws HypeError invalid_request | artifact_not_found */
function sourceOf(
  { artifact, text, base64 }: Given,
  { house }: ToolContext,
  signal: AbortSignal,
): { about: { bytes: number; sha256?: string }; bytes: AsyncIterable<Uint8Array> } {
  if ([artifact, text, base64].filter((it) => it !== undefined).length !== 1)
    throw new HypeError("invalid_request", "give exactly one of artifact, text, base64");
  if (artifact !== undefined) {
    const { size_bytes: bytes, sha256 } = house.artifact(artifact);
    return { about: { bytes, sha256 }, bytes: house.openArtifact(artifact, signal) };
  }
  const inline = Buffer.from(text ?? base64 ?? "", text === undefined ? "base64" : "utf8");
  return { about: { bytes: inline.length }, bytes: piece(inline) };
}

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

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
