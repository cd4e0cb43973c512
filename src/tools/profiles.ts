import * as v from "valibot";
import { Profile, ProfileName, SavedProfile } from "../contract/index.ts";
import { confirm, vm } from "./fields.ts";
import { listed } from "./markdown.ts";
import { family } from "./tool.ts";

const tool = family("profiles");

const profileLine = ({ name, cookies, origins, updated_at: at }: Profile): string =>
  `${name}: ${cookies} cookies, storage of ${origins} sites, saved ${at}`;

export const profileTools = [
  tool({
    name: "profile_list",
    title: "List profiles",
    description: "Profiles: logins kept on the host. vm_create takes one.",
    input: v.strictObject({}),
    output: v.object({ profiles: v.array(Profile) }),
    effect: "read",
    isIdempotent: true,
    handle: async (_input, { house }) => {
      const profiles = house.profiles();
      const text = profiles.length === 0 ? "There are no profiles." : listed(profiles.map(profileLine));
      return { text, structured: { profiles } };
    },
  }),
  tool({
    name: "profile_save",
    title: "Save a profile",
    description: "Keeps a VM's cookies and storage (logins) as a profile; vm_create with `profile` begins logged in.",
    isDefault: true,
    input: v.strictObject({
      vm,
      name: ProfileName,
      replace: v.optional(v.pipe(v.boolean(), v.description("Over one of that name")), false),
      whole: v.optional(
        v.pipe(v.boolean(), v.description("Chromium's files, service workers too; restarts the browser")),
        false,
      ),
    }),
    output: SavedProfile,
    handle: async ({ vm: ref, ...wanted }, { house, signal }) => {
      const saved = await house.saveProfile(ref, wanted, signal);
      return { text: `Saved ${profileLine(saved)}`, structured: { ...saved } };
    },
  }),
  tool({
    name: "profile_delete",
    title: "Delete a profile",
    description: "Deletes a profile with its logins, for good.",
    input: v.strictObject({ name: ProfileName, confirm }),
    output: v.object({ deleted: v.string() }),
    effect: "destroy",
    question: ({ name }) => `Delete the profile ${name} with its logins? This cannot be undone.`,
    handle: async ({ name }, { house }) => {
      house.deleteProfile(name);
      return { text: `The profile ${name} is deleted.`, structured: { deleted: name } };
    },
  }),
];
