import * as v from "valibot";
import { timeoutMs } from "./operation.ts";

/** Bytes; ext4, tmpfs and overlayfs take no longer names (NAME_MAX). */
const MAX_NAME_BYTES = 255;
const encoder = new TextEncoder();

/** A name and nothing else: it becomes a file's name in the guest, and pages see it. */
export const UploadName = v.pipe(
  v.string(),
  v.check((name) => name.length > 0 && encoder.encode(name).length <= MAX_NAME_BYTES, "must be 1 to 255 bytes long"),
  // eslint-disable-next-line no-control-regex
  v.check((name) => !/[/\\\u0000-\u001f\u007f]/.test(name), "must be a plain name: no slashes, no control characters"),
  v.check((name) => !/^\.+$/.test(name), "must not be made of dots only"),
  v.check((name) => name.isWellFormed(), "must be valid Unicode"),
  v.description("A plain name, as pages will see it"),
);

export const Upload = v.object({
  name: v.string(),
  bytes: v.number(),
  sha256: v.string(),
  uploaded_at: v.pipe(v.number(), v.description("Unix time in milliseconds")),
});
export type Upload = v.InferOutput<typeof Upload>;
export const UploadList = v.object({ items: v.array(Upload) });
export type UploadList = v.InferOutput<typeof UploadList>;

export const ListUploads = v.strictObject({ timeout_ms: timeoutMs });
export type ListUploads = v.InferOutput<typeof ListUploads>;
/** A page that was given the file before loses it, too. */
export const DeleteUpload = v.strictObject({ name: UploadName, timeout_ms: timeoutMs });
export type DeleteUpload = v.InferOutput<typeof DeleteUpload>;

export const Sha256 = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex, 64 digits"),
);
/** What is told before the bytes. `bytes`: how many will come, where that is known. */
export const WriteUpload = v.strictObject({
  name: UploadName,
  bytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  sha256: v.optional(Sha256),
});
export type WriteUpload = v.InferOutput<typeof WriteUpload>;
