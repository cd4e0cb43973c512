import type { LiveLink } from "../../contract/live-view.ts";
import type { Colours } from "../output/colours.ts";
import { table } from "../output/table.ts";
import { age } from "../../text/units.ts";

/** Whether a link opens anything now. */
export function stateOf(link: LiveLink, now = Date.now()): "active" | "expired" | "revoked" {
  if (link.revoked_at !== null) return "revoked";
  return Date.parse(link.expires_at) <= now ? "expired" : "active";
}

const COLOUR = { active: "green", expired: "dim", revoked: "dim" } as const;

export const linkTable = (links: LiveLink[], paint: Colours): string =>
  table(
    [
      { title: "ID", value: (link) => link.id },
      { title: "FOR", value: (link) => link.label ?? "-" },
      { title: "MAY", value: (link) => (link.view_only ? "watch" : "act") },
      { title: "STATE", value: (link) => stateOf(link), paint: (cell, link) => paint[COLOUR[stateOf(link)]](cell) },
      { title: "WATCHERS", value: (link) => String(link.watchers), align: "right" },
      { title: "EXPIRES", value: (link) => link.expires_at.slice(0, 19).replace("T", " ") },
      { title: "AGE", value: (link) => age(link.created_at), align: "right" },
    ],
    links,
    paint.bold,
  );
