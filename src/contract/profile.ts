import * as v from "valibot";
import { VmName } from "./vm.ts";

/** The same rule as for VMs: one habit for all names. */
export const ProfileName = VmName;

/** A browser's state kept on the host: cookies and storage, encrypted at rest. Its content is never shown here. */
export const Profile = v.object({
  id: v.pipe(v.string(), v.description("UUIDv7")),
  name: v.string(),
  created_at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  updated_at: v.string(),
});
export type Profile = v.InferOutput<typeof Profile>;
