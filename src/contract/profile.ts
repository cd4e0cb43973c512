import * as v from "valibot";
import { ImportState } from "./state.ts";
import { VmName } from "./vm.ts";

/** The same rule as for VMs: one habit for all names. */
export const ProfileName = VmName;

/** Largest content of a profile, bytes of JSON. Every door that carries a whole state lets a little more pass. */
export const MAX_PROFILE_BYTES = 64 * 1024 * 1024;

/** A browser's state kept on the host: cookies and storage, encrypted at rest. Its content is never shown here. */
export const Profile = v.object({
  id: v.pipe(v.string(), v.description("UUIDv7")),
  name: v.string(),
  cookies: v.pipe(v.number(), v.integer(), v.description("How many it holds")),
  origins: v.pipe(v.number(), v.integer(), v.description("How many sites have storage in it")),
  size_bytes: v.pipe(v.number(), v.integer(), v.description("Of its content as JSON")),
  created_at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  updated_at: v.pipe(v.string(), v.description("When its content was kept")),
});
export type Profile = v.InferOutput<typeof Profile>;

export const ProfileList = v.object({ items: v.array(Profile) });
export type ProfileList = v.InferOutput<typeof ProfileList>;

const replace = v.optional(
  v.pipe(v.boolean(), v.description("true: a profile of that name gets the new content in place of its own")),
  false,
);

/** Body of `POST /api/v1/profiles`. */
export const SaveProfile = v.strictObject({
  name: ProfileName,
  vm: v.pipe(v.string(), v.minLength(1), v.maxLength(63), v.description("Name or id of the running VM to save")),
  replace,
});
export type SaveProfile = v.InferOutput<typeof SaveProfile>;

/** `omitted` names what no JSON can carry; absent when nothing was left out. */
export const SavedProfile = v.object({ ...Profile.entries, omitted: v.optional(v.array(v.string())) });
export type SavedProfile = v.InferOutput<typeof SavedProfile>;

/** Body of `PUT /api/v1/profiles/:profile/state`: a `storageState` of Playwright or of `hype state export`. */
export const ImportProfile = v.strictObject({ state: ImportState.entries.state, replace });
export type ImportProfile = v.InferOutput<typeof ImportProfile>;

/** `expired`: cookies whose time was over; they are left out. */
export const ImportedProfile = v.object({ ...Profile.entries, expired: v.pipe(v.number(), v.integer()) });
export type ImportedProfile = v.InferOutput<typeof ImportedProfile>;

/** What became of a change of the key. */
export const RotatedKey = v.object({
  profiles: v.pipe(v.number(), v.integer(), v.description("Now sealed with the new key")),
  unreadable: v.pipe(
    v.array(v.string()),
    v.description("Names of profiles that could not be opened; as long as there are any the old keys stay"),
  ),
});
export type RotatedKey = v.InferOutput<typeof RotatedKey>;
