import type { Key } from "../../contract/access.ts";
import type { Colours } from "../output/colours.ts";
import { table } from "../output/table.ts";
import { age } from "../../text/units.ts";

/** Whether a key opens anything now. */
export function stateOf(key: Key, now = Date.now()): "active" | "expired" | "revoked" {
  if (key.revoked_at !== null) return "revoked";
  return key.expires_at !== null && Date.parse(key.expires_at) <= now ? "expired" : "active";
}

/** The VMs a key sees: `ci-*,demo team=qa`. */
export function reachOf({ restriction }: Key): string {
  if (!restriction) return "all";
  const labels = Object.entries(restriction.labels).map(([key, value]) => `${key}=${value}`);
  return [restriction.vms.join(","), ...labels].filter(Boolean).join(" ");
}

const COLOUR = { active: "green", expired: "dim", revoked: "dim" } as const;

export const keyTable = (keys: Key[], paint: Colours): string =>
  table(
    [
      { title: "NAME", value: (key) => key.name },
      { title: "KEY", value: (key) => `${key.prefix}…` },
      { title: "SCOPE", value: (key) => key.scope },
      { title: "STATE", value: (key) => stateOf(key), paint: (cell, key) => paint[COLOUR[stateOf(key)]](cell) },
      {
        title: "RATE",
        value: (key) => (key.rate_per_minute === null ? "-" : `${key.rate_per_minute}/min`),
        align: "right",
      },
      { title: "EXPIRES", value: (key) => key.expires_at?.slice(0, 16).replace("T", " ") ?? "never" },
      { title: "USED", value: (key) => (key.last_used_at === null ? "never" : age(key.last_used_at)), align: "right" },
      { title: "AGE", value: (key) => age(key.created_at), align: "right" },
      { title: "VMS", value: reachOf },
    ],
    keys,
    paint.bold,
  );
