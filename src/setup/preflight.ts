import { existsSync } from "node:fs";
import type { Config } from "../config/load.ts";
import { systemdRuns } from "./actions/unit.ts";
import { firewallConflicts } from "../network/slot/conflicts.ts";
import { conflictingRoutes, firewallManagers } from "./host/survey.ts";
import { programFault } from "./host/program.ts";

/**
 * What else lives on this host, seen before anything is changed. Nothing of others is edited, ever.
 * @returns notes, worth reading; faults, which a real run refuses over.
 */
export async function preflight(config: Config, program: string): Promise<{ notes: string[]; faults: string[] }> {
  const notes: string[] = [];
  const faults: string[] = [];
  const managers = firewallManagers();
  if (managers.length > 0)
    notes.push(
      `${managers.join(", ")} ${managers.length === 1 ? "manages" : "manage"} this firewall too; nothing of it is touched`,
    );
  // Without nft or root nothing can be said; `hype doctor` says it later.
  for (const { chain, hook, remedy } of await firewallConflicts(config).catch(() => []))
    notes.push(`chain ${chain} drops at ${hook} what the VMs need: ${remedy}`);
  const conflicts = conflictingRoutes(config.subnet, config.bridge);
  if (conflicts.length > 0 && config.network !== "user")
    faults.push(
      `the VMs' subnet ${config.subnet} overlaps ${conflicts.map((route) => `${route.network} of ${route.interface}`).join(", ")}: set OVERHYPED_SUBNET to a free one`,
    );
  const fault = existsSync(program) ? programFault(program) : `${program} is not there: run ./install.sh first`;
  if (fault) faults.push(fault);
  if (!systemdRuns()) notes.push("systemd does not run here: the units are written and not started");
  return { notes, faults };
}
