import * as v from "valibot";

export const ArtifactKind = v.picklist(["screenshot", "pdf", "har", "download", "recording", "other"]);
export type ArtifactKind = v.InferOutput<typeof ArtifactKind>;

/** What a VM can be told to keep by itself. */
export const KeepKind = v.picklist(["screenshot", "pdf", "har", "download", "recording"]);
export type KeepKind = v.InferOutput<typeof KeepKind>;
export const KeepPolicy = v.pipe(
  v.array(KeepKind),
  v.check((kinds) => new Set(kinds).size === kinds.length, "must name each kind once"),
);

/** Longest name of a file on Linux (NAME_MAX of limits.h). */
const NAME_BYTES = 255;
/** Of a longer text its end alone is looked at: a guest may send one of megabytes. */
const LONGEST_LOOKED_AT = 4096;
/** What is kept of a name's ending when the name is cut. */
const ENDING_CHARACTERS = 16;
const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/**
 * A name somebody else chose, as the name of one file in one directory: its last part, without control characters and marks that turn
 * the direction of text, not hidden, no option of a program, at most 255 bytes.
 * @param otherwise when nothing is left of it
 */
export function cleanFileName(text: string, otherwise: string): string {
  const plain = (text.slice(-LONGEST_LOOKED_AT).toWellFormed().split(/[/\\]/).at(-1) ?? "")
    .replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, "")
    .replace(/^[\s.-]+/, "")
    .trimEnd();
  if (plain === "") return otherwise;
  if (sizeOf(plain) <= NAME_BYTES) return plain;
  const ending = /\.[^.]+$/.exec(plain)?.[0] ?? "";
  const tail = ending.length <= ENDING_CHARACTERS ? ending : "";
  const stem = [...plain.slice(0, plain.length - tail.length)];
  const room = NAME_BYTES - sizeOf(tail);
  let bytes = 0;
  const kept = stem.findIndex((character) => (bytes += sizeOf(character)) > room);
  return (stem.slice(0, kept < 0 ? stem.length : kept).join("") + tail).trimEnd();
}

export const FileName = v.pipe(
  v.string(),
  v.check(
    (name) => name !== "" && cleanFileName(name, "") === name,
    `must be the name of a file: at most ${NAME_BYTES} bytes, no / or \\, no control characters, no dot or hyphen in front`,
  ),
);

const Switch = v.picklist(["true", "false"], "must be true or false");

/** Query of the operations whose result can be kept. */
export const KeepQuery = v.strictObject({
  keep: v.pipe(
    v.optional(Switch),
    v.description("true: keep the result on the host; false: do not, whatever the VM's policy says"),
  ),
  keep_as: v.pipe(v.optional(FileName), v.description("Name to keep it under; keeps it")),
});
export type KeepQuery = v.InferOutput<typeof KeepQuery>;

/** Query of `POST …/browser/downloads/:id/keep`. */
export const KeepDownloadQuery = v.strictObject({
  keep_as: v.pipe(v.optional(FileName), v.description("Name to keep it under; default: its own")),
});
export type KeepDownloadQuery = v.InferOutput<typeof KeepDownloadQuery>;

export const ArtifactId = v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/, "must be an artifact's id"));

/** A file of a VM that is kept on the host, also after the VM is gone. */
export const Artifact = v.object({
  id: v.pipe(v.string(), v.description("UUIDv7")),
  kind: ArtifactKind,
  name: v.pipe(v.string(), v.description("File name; where the guest chose it, it is data")),
  content_type: v.pipe(v.string(), v.description("Where the guest chose it, it is data")),
  size_bytes: v.pipe(v.number(), v.integer()),
  sha256: v.string(),
  vm_id: v.string(),
  vm_name: v.string(),
  created_at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  expires_at: v.pipe(v.nullable(v.string()), v.description("When it is deleted by itself; null: never")),
});
export type Artifact = v.InferOutput<typeof Artifact>;

/** Query of `GET /api/v1/artifacts`. Values stay text, as everywhere in a query. */
export const ListArtifactsQuery = v.strictObject({
  vm: v.pipe(
    v.optional(v.pipe(v.string(), v.maxLength(63))),
    v.description("Name or id of a VM, also of a deleted one"),
  ),
  kind: v.optional(ArtifactKind),
  after: v.pipe(v.optional(ArtifactId), v.description("Artifacts older than this one: `next` of the page before")),
  limit: v.pipe(
    v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\d{1,4}$/, "must be a whole number"),
        v.check((text) => Number(text) >= 1 && Number(text) <= 1000, "must be between 1 and 1000"),
      ),
    ),
    v.description("Default 100"),
  ),
});
export type ListArtifactsQuery = v.InferOutput<typeof ListArtifactsQuery>;

export const ArtifactList = v.object({
  items: v.pipe(v.array(Artifact), v.description("Newest first")),
  next: v.pipe(
    v.nullable(v.string()),
    v.description("`after` of the next page; a page may be short and still have one"),
  ),
});
export type ArtifactList = v.InferOutput<typeof ArtifactList>;
