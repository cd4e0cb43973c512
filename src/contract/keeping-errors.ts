/** Errors of what is kept on the host: artifacts and profiles. See errors.ts. */
export const KEEPING_ERRORS = {
  artifact_not_found: {
    status: 404,
    exit: 1,
    title: "No such artifact",
    remedy: "`hype artifacts list` shows what is kept.",
  },
  artifact_quota_exceeded: {
    status: 507,
    exit: 1,
    title: "The artifacts take all the space they may",
    remedy: "Delete artifacts, or raise OVERHYPED_ARTIFACT_QUOTA_MB.",
  },
  artifact_damaged: {
    status: 500,
    exit: 1,
    title: "The artifact's file is not what was kept",
    remedy: "Restore the file named in the message from a backup, or delete the artifact.",
  },
  profile_not_found: {
    status: 404,
    exit: 1,
    title: "No such profile",
    remedy: "`hype profiles list` shows the profiles there are.",
  },
  profile_name_taken: {
    status: 409,
    exit: 1,
    title: "The profile's name is taken",
    remedy: "Choose another name, or save over it with `--replace`.",
  },
  profile_too_new: {
    status: 409,
    exit: 1,
    title: "The profile was saved from a newer Chromium",
    remedy: "Take an image with a Chromium at least as new, or save the profile without `--whole`.",
  },
  profile_unsupported: {
    status: 409,
    exit: 1,
    title: "The VM's image knows no whole profiles",
    remedy: "Build a new image (`hype image build`), or save the profile without `--whole`.",
  },
  profile_unreadable: {
    status: 500,
    exit: 1,
    title: "The profile cannot be opened",
    remedy: "Its key is missing or the file is damaged; the message says which. Restore both from the same backup.",
  },
} as const;
