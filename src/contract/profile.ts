import * as v from "valibot";
import { ImportState } from "./state.ts";
import { VmName } from "./vm.ts";

/** The same rule as for VMs: one habit for all names. */
export const ProfileName = VmName;

/** Largest content of a profile, bytes of JSON. Every door that carries a whole state lets a little more pass. */
export const MAX_PROFILE_BYTES = 64 * 1024 * 1024;

/** On the kernel's command line: this guest's browser begins with a whole profile, and is not started before it came. */
export const EXPECT_PROFILE_WORD = "hype.profile";

/** Bounds of a whole profile: what a guest may make a host keep, and a host another guest unpack. */
export const MAX_WHOLE_PROFILE = {
  archiveBytes: 512 * 1024 * 1024,
  unpackedBytes: 1024 * 1024 * 1024,
  files: 20_000,
  headBytes: 16 * 1024 * 1024,
} as const;

const version = v.pipe(v.string(), v.regex(/^[\w./ -]{1,100}$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000));

/** Header of the agent that says, as JSON, what follows. */
export const WHOLE_PROFILE_ABOUT_HEADER = "hype-profile";

/** What an agent says of a whole profile before it sends it. */
export const WholeProfileAbout = v.object({ chromium: version, cookies: count, origins: count });
export type WholeProfileAbout = v.InferOutput<typeof WholeProfileAbout>;

/** First in the archive of a whole profile. Session cookies stand on no disk of Chromium's. */
export const WholeProfileHead = v.object({
  format: v.literal(1),
  chromium: version,
  /** As {@link WholeProfileAbout}; archives of older agents do not say. */
  cookies: v.optional(count, 0),
  origins: v.optional(count, 0),
  session_cookies: v.pipe(v.array(v.record(v.string(), v.unknown())), v.maxLength(50_000)),
});
export type WholeProfileHead = v.InferOutput<typeof WholeProfileHead>;

/** Reply of an agent that was given a whole profile: its browser is usable. */
export const WholeProfileTaken = v.object({ session_cookies: count });
export type WholeProfileTaken = v.InferOutput<typeof WholeProfileTaken>;

/** A browser's state kept on the host: cookies and storage, encrypted at rest. Its content is never shown here. */
export const Profile = v.object({
  id: v.pipe(v.string(), v.description("UUIDv7")),
  name: v.string(),
  kind: v.pipe(
    v.picklist(["state", "whole"]),
    v.description("state: cookies and storage as JSON; whole: the files of Chromium's profile"),
  ),
  chromium: v.pipe(
    v.nullable(v.string()),
    v.description("What a whole one was saved from; an older Chromium refuses it"),
  ),
  cookies: v.pipe(v.number(), v.integer(), v.description("How many it holds")),
  origins: v.pipe(v.number(), v.integer(), v.description("How many sites have storage in it")),
  size_bytes: v.pipe(v.number(), v.integer(), v.description("Of its content, as it is exported")),
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
  whole: v.optional(
    v.pipe(
      v.boolean(),
      v.description("true: the files of Chromium's profile, service workers too; the browser is restarted for it"),
    ),
    false,
  ),
});
export type SaveProfile = v.InferOutput<typeof SaveProfile>;

/** `omitted` names what no JSON can carry; absent when nothing was left out. */
export const SavedProfile = v.object({ ...Profile.entries, omitted: v.optional(v.array(v.string())) });
export type SavedProfile = v.InferOutput<typeof SavedProfile>;

/** Body of `PUT /api/v1/profiles/:profile/state`: a `storageState` of Playwright or of `hype state export`. */
export const ImportProfile = v.strictObject({ state: ImportState.entries.state, replace });
export type ImportProfile = v.InferOutput<typeof ImportProfile>;

/** Query of `PUT /api/v1/profiles/:profile/archive`. */
export const ImportArchiveQuery = v.strictObject({
  replace: v.optional(
    v.pipe(v.picklist(["true", "false"]), v.description("true: in place of the content of a profile of that name")),
    "false",
  ),
});

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
