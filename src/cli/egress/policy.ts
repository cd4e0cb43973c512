import type { Egress, EgressPolicyInput } from "../../contract/egress.ts";
import { oneOf } from "../arguments/quantities.ts";
import type { Colours } from "../output/colours.ts";
import { pairs, table } from "../output/table.ts";

/** The policy that `--egress`, `--allow` and `--deny` ask for; undefined when none of them was given. @throws HypeError usage */
export function askedPolicy(
  flag: string,
  mode: string | undefined,
  allow: string[],
  deny: string[],
): EgressPolicyInput | undefined {
  if (mode === undefined && allow.length === 0 && deny.length === 0) return undefined;
  return {
    ...(mode === undefined ? {} : { mode: oneOf(flag, mode, ["internet", "none", "open"]) }),
    allow: entries(allow),
    deny: entries(deny),
  };
}

/** One entry per flag, or several with commas. */
const entries = (texts: string[]): string[] =>
  texts
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter(Boolean);

const SHOWN = 20;
const list = (targets: string[]): string | null =>
  targets.length === 0
    ? null
    : targets.slice(0, SHOWN).join(", ") + (targets.length > SHOWN ? `, and ${targets.length - SHOWN} more` : "");

/** A policy and what came of it, for people. */
export function egressDetails(name: string, egress: Egress, paint: Colours): string {
  const { policy, allowed, refused, refusals } = egress;
  const facts = pairs(
    [
      ["vm", name],
      ["mode", policy.mode],
      ["allow", list(policy.allow)],
      ["deny", list(policy.deny)],
      ["in force", egress.enforced ? "yes" : "no: not started, or on a network that cannot police"],
      ["allowed", egress.enforced ? `${allowed.packets} packets, ${allowed.bytes} bytes` : null],
      ["refused", egress.enforced ? `${refused.packets} packets` : null],
    ],
    paint.dim,
  );
  if (refusals.length === 0) return facts;
  const rows = table(
    [
      { title: "REFUSED", value: (row) => row.address },
      { title: "PROTOCOL", value: (row) => row.protocol },
      { title: "PORT", value: (row) => (row.port === null ? "-" : String(row.port)), align: "right" },
      { title: "PACKETS", value: (row) => String(row.packets), align: "right" },
    ],
    refusals,
    paint.bold,
  );
  return `${facts}\n${rows}`;
}
