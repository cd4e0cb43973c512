import type { Choice, CreateOverlay } from "../../state/overlays.ts";

const EGRESS: readonly Choice[] = [
  { value: "internet", note: "public addresses only" },
  { value: "none", note: "nothing" },
  { value: "open", note: "private networks, too" },
];

/** Everything that can be picked for the field that is edited. */
function all({ focus, images, profiles }: CreateOverlay): readonly Choice[] {
  if (focus === "image") return images;
  if (focus === "profile") return profiles;
  return focus === "egress" ? EGRESS : [];
}

/** What can be picked and holds what is typed; everything where what is typed was picked. */
export function choicesOf(own: CreateOverlay): readonly Choice[] {
  const typed = own.fields[own.focus].text.trim().toLowerCase();
  const found = all(own);
  if (typed === "" || found.some(({ value }) => value === typed)) return found;
  return found.filter(({ value, note }) => `${value} ${note}`.toLowerCase().includes(typed));
}
