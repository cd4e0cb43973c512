import * as v from "valibot";

export const ImageFormat = v.picklist(["layered", "bundle"]);
export type ImageFormat = v.InferOutput<typeof ImageFormat>;

export const ImageFile = v.object({ name: v.string(), bytes: v.number(), sha256: v.string() });
export type ImageFile = v.InferOutput<typeof ImageFile>;

/** `manifest.json` of an image. */
export const ImageManifest = v.object({
  schema: v.literal(1),
  id: v.pipe(v.string(), v.description("First 16 hex digits of the hash of all build inputs")),
  format: ImageFormat,
  created_at: v.pipe(v.string(), v.description("From the inputs, not the clock: same inputs, same bytes")),
  source: v.pipe(v.string(), v.description("Tool that made the root tree: mmdebstrap, docker, podman, buildah")),
  architecture: v.string(),
  kernel_version: v.string(),
  chromium_version: v.string(),
  agent_version: v.string(),
  packages: v.record(v.string(), v.string()),
  files: v.array(ImageFile),
});
export type ImageManifest = v.InferOutput<typeof ImageManifest>;

/** An image as lists show it. */
export const Image = v.object({
  id: v.string(),
  format: ImageFormat,
  is_default: v.boolean(),
  kernel_version: v.string(),
  chromium_version: v.string(),
  agent_version: v.string(),
  bytes: v.number(),
  created_at: v.string(),
});
export type Image = v.InferOutput<typeof Image>;
export const ImageList = v.object({ items: v.array(Image) });
