import { readFileSync } from "node:fs";
import { firewallConflicts } from "../../network/slot/conflicts.ts";
import { slotNetworkFaults } from "../../network/slot/faults.ts";
import { sysctlValue } from "../actions/sysctl.ts";
import { conflictingRoutes, firewallManagers } from "../host/survey.ts";
import { type Check, fine, finding, isRoot, wantsSlots } from "./check.ts";

/** Above this share of the table new connections will soon be refused (nf_conntrack-sysctl.rst). */
const CONNTRACK_FULL = 0.8;

export const slots: Check = {
  id: "slots",
  async run({ config }) {
    const why = "Guests reach the internet, and nothing else, over the bridge and our own firewall table";
    if (!wantsSlots(config))
      return fine(`not used: OVERHYPED_NETWORK=${config.network}, ${isRoot() ? "no bridge" : "no root"}`, why);
    if (!isRoot())
      return finding("note", "bridge and firewall table can be seen by root only", why, "Run `sudo hype doctor`");
    const faults = await slotNetworkFaults(config);
    if (faults.length > 0)
      return finding(
        "fail",
        faults.join("; "),
        why,
        "`hype setup`, or `systemctl restart overhyped-network` where it ran already",
      );
    if (sysctlValue("net.ipv4.ip_forward") !== "1")
      return finding(
        "fail",
        "net.ipv4.ip_forward is 0: no guest reaches the internet",
        why,
        "sysctl -w net.ipv4.ip_forward=1; find who sets it to 0 in /etc/sysctl.d",
      );
    return fine(`bridge ${config.bridge} with ${config.hostIp}, firewall table, forwarding`, why);
  },
};

export const conntrack: Check = {
  id: "connections",
  async run() {
    const why =
      "The kernel follows every connection of every guest in one table; when it is full, new ones fail for all";
    const count = sysctlValue("net.netfilter.nf_conntrack_count");
    const max = sysctlValue("net.netfilter.nf_conntrack_max");
    if (count === null || max === null) return fine("none is followed yet", why);
    const seen = `${count} of ${max} connections`;
    if (Number(max) > 0 && Number(count) / Number(max) < CONNTRACK_FULL) return fine(seen, why);
    return finding(
      "warn",
      seen,
      why,
      `sysctl -w net.netfilter.nf_conntrack_max=${Math.max(262_144, Number(max) * 2)}, and a file in /etc/sysctl.d`,
    );
  },
};

export const firewall: Check = {
  id: "firewall",
  async run({ config }) {
    const why =
      "An address in two networks is reached in one of them only, and what another program's firewall drops never arrives";
    if (!wantsSlots(config)) return fine("no slots, nothing to conflict with", why);
    const routes = conflictingRoutes(config.subnet, config.bridge);
    if (routes.length > 0) {
      const list = routes.map((route) => `${route.network} of ${route.interface}`).join(", ");
      return finding(
        "fail",
        `the VMs' subnet ${config.subnet} overlaps ${list}`,
        why,
        "Set OVERHYPED_SUBNET to a free network in /etc/overhyped/hype.env, delete all VMs, run `hype setup`",
      );
    }
    const managers = firewallManagers();
    const others = managers.length > 0 ? `also managed by ${managers.join(", ")}` : "managed by nobody else";
    if (!isRoot() || !Bun.which("nft"))
      return finding("note", `${others}; its rules can be seen by root with nft only`, why, "Run `sudo hype doctor`");
    const conflicts = await firewallConflicts(config);
    if (conflicts.length === 0) return fine(others, why);
    const chains = conflicts.map(({ chain, hook }) => `${chain} (${hook})`).join(", ");
    return finding(
      "warn",
      `${others}; these chains drop by default: ${chains}`,
      why,
      conflicts.map(({ remedy }) => remedy).join("; "),
    );
  },
};

/** Name servers that guests are answered by. */
export const dns: Check = {
  id: "dns",
  async run({ config }) {
    const why = "Guests ask our resolver, and it asks these";
    const servers = config.dns ?? hostServers();
    if (servers.length > 0) return fine(servers.join(", "), why);
    return finding("warn", "/etc/resolv.conf names no server", why, "Add one, or set OVERHYPED_DNS");
  },
};

function hostServers(): string[] {
  try {
    return [...readFileSync("/etc/resolv.conf", "utf8").matchAll(/^nameserver\s+(\S+)/gm)].map(([, server]) => server!);
  } catch {
    return [];
  }
}
