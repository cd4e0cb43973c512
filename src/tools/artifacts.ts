import * as v from "valibot";
import { Artifact, ArtifactId, ArtifactKind, FileName } from "../contract/index.ts";
import { confirm, vm } from "./fields.ts";
import { cut, fenced, joined, line, listed } from "./markdown.ts";
import { onBrowser } from "./on-tab.ts";
import { family, type Link } from "./tool.ts";

const tool = family("artifacts");
const READ_BYTES = 1024 * 1024;
const READ_CHARACTERS = 20_000;

export const artifactLink = ({ id, name, content_type: mimeType, size_bytes: bytes, vm_name: of }: Artifact): Link => ({
  uri: `hype://vms/${of}/artifacts/${id}`,
  name: line(name, 200),
  mimeType,
  bytes,
});

const artifactLine = ({ id, kind, name, size_bytes: bytes, vm_name: of, created_at: at }: Artifact): string =>
  `[${id}] ${kind} ${line(name, 200)}, ${bytes} bytes, of ${of}, ${at}`;

export const artifactTools = [
  tool({
    name: "artifact_list",
    title: "List artifacts",
    description: "Files of VMs that are kept on the host, newest first, also of VMs that are gone.",
    input: v.strictObject({
      of: v.optional(v.pipe(v.string(), v.maxLength(63), v.description("VM name"))),
      kind: v.optional(ArtifactKind),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(200)), 50),
    }),
    output: v.object({ artifacts: v.array(Artifact) }),
    effect: "read",
    isIdempotent: true,
    handle: async ({ of, ...query }, { house }) => {
      const { items } = house.artifacts({ ...query, ...(of !== undefined && { vm: of }) });
      const text = items.length === 0 ? "Nothing is kept." : listed(items.map(artifactLine));
      return { text, structured: { artifacts: items } };
    },
  }),
  tool({
    name: "artifact_get",
    title: "Show an artifact",
    description: "One kept file; of a small text its content.",
    input: v.strictObject({ id: ArtifactId }),
    output: Artifact,
    effect: "read",
    isIdempotent: true,
    handle: async ({ id }, { house }) => {
      const artifact = house.artifact(id);
      const isSmall = artifact.size_bytes > 0 && artifact.size_bytes <= READ_BYTES;
      const text = isSmall ? asText(await house.readArtifact(id, READ_BYTES)) : null;
      return {
        text: joined(artifactLine(artifact), text),
        structured: { ...artifact },
        links: [artifactLink(artifact)],
      };
    },
  }),
  tool({
    name: "artifact_keep_download",
    title: "Keep a download",
    description: "Keeps a download (id from browser_downloads) on the host, where it outlives the VM.",
    input: v.strictObject({
      vm,
      id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/)),
      name: v.optional(FileName),
    }),
    output: Artifact,
    handle: (input, context) =>
      onBrowser(context, input.vm, async (_guest, signal) => {
        const kept = await context.house.keepDownload(input.vm, input.id, input.name, signal);
        return { text: `Kept ${artifactLine(kept)}`, structured: { ...kept }, links: [artifactLink(kept)] };
      }),
  }),
  tool({
    name: "artifact_delete",
    title: "Delete an artifact",
    description: "Deletes a kept file, for good.",
    input: v.strictObject({ id: ArtifactId, confirm }),
    output: v.object({ deleted: v.string() }),
    effect: "destroy",
    question: ({ id }) => `Delete the kept file ${id}? This cannot be undone.`,
    handle: async ({ id }, { house }) => {
      house.deleteArtifact(id);
      return { text: `The artifact ${id} is deleted.`, structured: { deleted: id } };
    },
  }),
];

/** A text in a fence; null where the bytes are none. */
export function asText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : fenced(cut(text, READ_CHARACTERS, "fetch the file itself"));
  } catch {
    return null;
  }
}
