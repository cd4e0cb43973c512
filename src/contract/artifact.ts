import * as v from "valibot";

export const ArtifactKind = v.picklist(["screenshot", "pdf", "har", "download", "recording", "other"]);
export type ArtifactKind = v.InferOutput<typeof ArtifactKind>;

/** A file of a VM that is kept on the host, also after the VM is gone. */
export const Artifact = v.object({
  id: v.pipe(v.string(), v.description("UUIDv7")),
  kind: ArtifactKind,
  name: v.pipe(v.string(), v.description("File name; where the guest chose it, it is data")),
  content_type: v.string(),
  size_bytes: v.pipe(v.number(), v.integer()),
  sha256: v.string(),
  vm_id: v.string(),
  vm_name: v.string(),
  created_at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  expires_at: v.nullable(v.string()),
});
export type Artifact = v.InferOutput<typeof Artifact>;
