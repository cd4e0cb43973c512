import { readFileSync, writeFileSync } from "node:fs";
import type { Config } from "../../config/load.ts";
import { HypeError, messageOf } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import { DNS_PORT, hostTable, installationGroup } from "./identity.ts";
import { ipJson } from "./survey.ts";

type Settings = Pick<Config, "home" | "subnet" | "hostIp" | "bridge">;

/** One step of bringing the host's side up or down. `alreadyDone`: what the program says, and fails, when there is nothing to do. */
export type HostStep =
  { argv: [string, ...string[]]; stdin?: string; alreadyDone?: string } | { sysctl: string; value: string };

/** Fixed, so that it does not change with the ports that come and go. */
const BRIDGE_MAC = "02:68:79:70:fe:01";

/**
 * The host's side of the slot network: a bridge with the host's address, routing, and a table of our own in nftables. In this order, each step
 * harmless when it is done already; no other program's rules, addresses or interfaces are touched.
 */
export function hostNetworkUp(config: Settings): HostStep[] {
  const { bridge, hostIp, subnet } = config;
  const address = `${hostIp}/${subnet.split("/")[1]}`;
  const ours = ["link", "set", "dev", bridge];
  return [
    {
      argv: ["ip", "link", "add", "name", bridge, "group", String(installationGroup(config)), "type", "bridge"],
      alreadyDone: "File exists",
    },
    {
      argv: [
        "ip",
        ...ours,
        "address",
        BRIDGE_MAC,
        "type",
        "bridge",
        "forward_delay",
        "0",
        "stp_state",
        "0",
        "mcast_snooping",
        "0",
      ],
    },
    // No table of neighbours, no address of its own making: IPv6 is off in slots and on their bridge.
    { sysctl: `net.ipv6.conf.${bridge}.disable_ipv6`, value: "1" },
    { sysctl: `net.ipv4.conf.${bridge}.rp_filter`, value: "1" },
    { sysctl: `net.ipv4.conf.${bridge}.accept_redirects`, value: "0" },
    { sysctl: `net.ipv4.conf.${bridge}.send_redirects`, value: "0" },
    { argv: ["ip", "address", "replace", address, "dev", bridge] },
    { argv: ["nft", "-f", "-"], stdin: hostRules(config) },
    { argv: ["ip", ...ours, "up"] },
    { sysctl: "net.ipv4.ip_forward", value: "1" },
  ];
}

/** Takes it away again. Routing (net.ipv4.ip_forward) stays as it is: other programs may count on it. */
export function hostNetworkDown(config: Settings): HostStep[] {
  return [
    { argv: ["ip", "link", "delete", "dev", config.bridge], alreadyDone: "Cannot find device" },
    { argv: ["nft", "delete", "table", "inet", hostTable(config)], alreadyDone: "No such file or directory" },
  ];
}

/**
 * Our table on the host. Guests reach our resolver and nothing else of the host, whatever address of it they use; its other addresses are
 * refused before another program's rules lead their ports elsewhere (docker's published ports). Nobody but the host itself opens connections
 * to a guest.
 */
export function hostRules(config: Settings): string {
  const { bridge, hostIp, subnet } = config;
  const table = hostTable(config);
  return `table inet ${table} {}
delete table inet ${table}
table inet ${table} {
  chain refused {
    limit rate over 200/second burst 400 packets drop
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }
  chain arrivals {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" meta nfproto ipv6 drop
    iifname "${bridge}" ip saddr != ${subnet} drop
    iifname "${bridge}" ip saddr ${hostIp} drop
    iifname "${bridge}" ip daddr != ${hostIp} fib daddr type local goto refused
    iifname != { "${bridge}", "lo" } ip saddr ${subnet} drop
    iifname != { "${bridge}", "lo" } ip daddr ${hostIp} drop
  }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    iifname "${bridge}" jump from-guests
  }
  chain from-guests {
    ct state established,related accept
    ip daddr ${hostIp} meta l4proto { tcp, udp } th dport ${DNS_PORT} accept
    goto refused
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname "${bridge}" oifname "${bridge}" drop
    iifname "${bridge}" ct status dnat drop
    iifname "${bridge}" accept
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" drop
  }
  chain translate-source {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} oifname != { "${bridge}", "lo" } masquerade
  }
}
`;
}

/** What the shell of a human would type for a step; for dry runs. */
export const describeStep = (step: HostStep): string =>
  "sysctl" in step
    ? `sysctl -w ${step.sysctl}=${step.value}`
    : `${step.argv.join(" ")}${step.stdin === undefined ? "" : ` <<'END'\n${step.stdin}END`}`;

/** Brings the host's side up, or mends what is missing of it. @throws HypeError network_unavailable | network_failed | tool_missing | root_required */
export async function restoreHostNetwork(config: Settings): Promise<void> {
  const stranger = await foreignBridge(config);
  if (stranger) throw new HypeError("network_unavailable", stranger);
  for (const step of hostNetworkUp(config)) await take(step);
}

/** Takes the host's side away; a bridge that is not ours stays. @throws HypeError network_unavailable | network_failed | tool_missing */
export async function removeHostNetwork(config: Settings): Promise<void> {
  const stranger = await foreignBridge(config);
  if (stranger) throw new HypeError("network_unavailable", stranger);
  for (const step of hostNetworkDown(config)) await take(step);
}

type BridgeLink = {
  ifname: string;
  group?: string;
  flags?: string[];
  linkinfo?: { info_kind?: string };
  addr_info?: { local: string; prefixlen: number }[];
};

/** The bridge with its addresses; null when there is none. */
export async function findBridge({ bridge }: Pick<Config, "bridge">): Promise<BridgeLink | null> {
  const links = await ipJson<BridgeLink>(["-d", "address", "show"]);
  return links.find(({ ifname }) => ifname === bridge) ?? null;
}

/** Why the interface of the bridge's name is not ours to use; null when it is, or not there. */
async function foreignBridge(config: Settings): Promise<string | null> {
  const found = await findBridge(config);
  if (!found || (found.linkinfo?.info_kind === "bridge" && found.group === String(installationGroup(config))))
    return null;
  return `the interface ${config.bridge} exists and was not made by the hype of ${config.home}: set another OVERHYPED_BRIDGE, or remove it`;
}

async function take(step: HostStep): Promise<void> {
  if ("sysctl" in step) {
    const path = `/proc/sys/${step.sysctl.replaceAll(".", "/")}`;
    try {
      if (readFileSync(path, "utf8").trim() !== step.value) writeFileSync(path, `${step.value}\n`);
    } catch (thrown) {
      if ((thrown as { code?: string }).code === "ENOENT" && step.sysctl.startsWith("net.ipv6.")) return; // a kernel without IPv6
      throw new HypeError("network_failed", `${step.sysctl} cannot be set to ${step.value}: ${messageOf(thrown)}`);
    }
    return;
  }
  const { argv, stdin, alreadyDone } = step;
  const { code, stderr } = await run(argv, { ...(stdin === undefined ? {} : { stdin }), timeoutMs: 20_000 });
  if (code === 0 || (alreadyDone !== undefined && stderr.includes(alreadyDone))) return;
  const words = tail(stderr, 5);
  if (words.includes("Operation not permitted")) throw new HypeError("root_required", `${argv.join(" ")}: ${words}`);
  throw new HypeError("network_failed", `${argv.join(" ")}: ${words}`);
}
