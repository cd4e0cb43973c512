import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/load.ts";
import { HypeError } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import { installationGroup, NETNS_DIR, slotOf } from "./identity.ts";

/** A slot's host end, as ip(8) tells it. `peerId`: this namespace's number for the one that holds the other end. */
export type SlotLink = {
  slot: number;
  name: string;
  master: string | null;
  isolated: boolean;
  up: boolean;
  peerId: number | null;
};

type IpLink = {
  ifname?: string;
  master?: string;
  flags?: string[];
  link_netnsid?: number;
  linkinfo?: { info_slave_data?: { isolated?: boolean } };
};

/** Runs ip(8) for its JSON. @throws HypeError network_failed | tool_missing */
export async function ipJson<T>(argv: readonly string[]): Promise<T[]> {
  const { code, stdout, stderr } = await run(["ip", "-j", ...argv], { timeoutMs: 20_000 });
  if (code !== 0) throw new HypeError("network_failed", `ip ${argv.join(" ")}: ${tail(stderr, 5)}`);
  return stdout.trim() === "" ? [] : (JSON.parse(stdout) as T[]);
}

/** The host ends of this installation's slots, with what they are plugged into. One process, however many there are. */
export async function slotLinks(config: Pick<Config, "home">): Promise<SlotLink[]> {
  const links = await ipJson<IpLink>(["-d", "link", "show", "group", String(installationGroup(config))]);
  return links.flatMap(({ ifname = "", master = null, flags = [], link_netnsid = null, linkinfo }) => {
    const slot = slotOf(ifname);
    if (slot === null) return [];
    const isolated = linkinfo?.info_slave_data?.isolated === true;
    return [{ slot, name: ifname, master, isolated, up: flags.includes("UP"), peerId: link_netnsid }];
  });
}

/** Names of namespaces by the number this one has for them; where a name has none, it leads nowhere from here. @throws HypeError network_failed */
export async function namespaceNames(): Promise<Map<number, string>> {
  const found = await ipJson<{ nsid?: number; name?: string }>(["netns", "list-id"]);
  return new Map(found.flatMap(({ nsid, name }) => (nsid === undefined || name === undefined ? [] : [[nsid, name]])));
}

/** Names of the interfaces of this process' network namespace (proc_pid_net(5)); no process, and not the namespace that /sys was mounted in. */
export function linkNames(): Set<string> {
  const lines = readFileSync("/proc/self/net/dev", "utf8").split("\n").slice(2);
  return new Set(lines.map((line) => line.split(":")[0]?.trim() ?? "").filter(Boolean));
}

/** Names of network namespaces that a slot could have, ours or not. */
export function slotNamespaces(): string[] {
  try {
    return readdirSync(NETNS_DIR).filter((name) => slotOf(name) !== null);
  } catch {
    return []; // no namespace was ever made
  }
}

/** True when the name stands for a namespace, not for the empty file that a mount was to cover. */
export function isNamespace(name: string): boolean {
  try {
    // ip-netns(8) mounts it over a file of /run: another device then.
    return statSync(join(NETNS_DIR, name)).dev !== statSync(NETNS_DIR).dev;
  } catch {
    return false;
  }
}

/** What of these slots is still there by name. */
export function remainsOf(names: readonly string[]): string[] {
  const links = linkNames();
  const namespaces = new Set(slotNamespaces());
  return names.filter((name) => links.has(name) || namespaces.has(name));
}

/** True when a namespace without a link on the host holds a tap of this installation: somebody removed the link from a slot of ours. */
export async function isOurNamespace(name: string, config: Pick<Config, "home">): Promise<boolean> {
  if (!isNamespace(name)) return false;
  const links = await ipJson<IpLink>(["-n", name, "link", "show", "group", String(installationGroup(config))]);
  return links.some(({ ifname }) => ifname === "tap0");
}
