/** Errors of the live view, of control over a browser, and of recordings. See errors.ts. */
export const LIVE_ERRORS = {
  live_link_invalid: {
    status: 403,
    exit: 1,
    title: "The live link is not valid",
    remedy: "It ran out, was revoked, or is for another VM: `hype live NAME` makes a new one.",
  },
  live_link_not_found: {
    status: 404,
    exit: 1,
    title: "No such live link",
    remedy: "`hype live list NAME` shows the links of a VM.",
  },
  view_only: {
    status: 403,
    exit: 1,
    title: "This link may only watch",
    remedy: "Ask for a link that may take control: `hype live NAME`.",
  },
  control_held: {
    status: 409,
    exit: 1,
    title: "Somebody else has control",
    remedy: "Wait until it is given back, or take it over with `force`.",
  },
  recording_conflict: {
    status: 409,
    exit: 1,
    title: "The tab is already being recorded, or no recording runs",
    remedy: "`list-recordings` shows what is recorded.",
  },
  recording_not_found: {
    status: 404,
    exit: 1,
    title: "No such recording",
    remedy: "`list-recordings` shows what there is; recordings are gone after a restart of the VM.",
  },
} as const;
