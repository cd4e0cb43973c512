import ipaddr from "ipaddr.js";
import type { Config } from "../../config/load.ts";
import { run } from "../../host/run.ts";
import { DNS_PORT, hostTable } from "./identity.ts";
import { ipJson } from "./survey.ts";

/** Routes of the host, other than our bridge's, that lead to addresses of the VMs' subnet: `192.168.0.0/16 dev eth0`. @throws HypeError network_failed */
export async function overlappingRoutes({ subnet, bridge }: Pick<Config, "subnet" | "bridge">): Promise<string[]> {
  const routes = await ipJson<{ dst: string; dev?: string }>(["-4", "route", "show"]);
  return routes
    .filter(({ dst, dev }) => dst !== "default" && dev !== bridge && overlap(dst, subnet))
    .map(({ dst, dev }) => `${dst}${dev ? ` dev ${dev}` : ""}`);
}

function overlap(dst: string, subnet: string): boolean {
  const cidr = dst.includes("/") ? dst : `${dst}/32`;
  if (!ipaddr.IPv4.isValidCIDR(cidr)) return false;
  const [a, b] = [ipaddr.IPv4.parseCIDR(cidr), ipaddr.IPv4.parseCIDR(subnet)];
  return a[1] <= b[1] ? b[0].match(a) : a[0].match(b);
}

/** A chain of another program that may stop what our table lets through: every table has its say, and one drop is enough. */
export type FirewallConflict = { chain: string; hook: "input" | "forward"; remedy: string };

type NftChain = { family: string; table: string; name: string; hook?: string; policy?: string };

/**
 * Base chains of other tables that drop by default (ufw, docker, nftables.service) or are known to refuse by their last rule (firewalld).
 * Rules of the older iptables-legacy cannot be seen this way.
 */
export async function firewallConflicts(config: Pick<Config, "bridge" | "hostIp">): Promise<FirewallConflict[]> {
  const { code, stdout } = await run(["nft", "-j", "list", "chains"], { timeoutMs: 20_000 });
  if (code !== 0) return [];
  const { nftables } = JSON.parse(stdout) as { nftables: { chain?: NftChain }[] };
  const chains = nftables.map(({ chain }) => chain).filter((chain) => chain !== undefined);
  return chains.flatMap((chain) => {
    const { family, table, name, hook, policy } = chain;
    if (table === hostTable(config) || !["inet", "ip"].includes(family)) return [];
    if (hook !== "input" && hook !== "forward") return [];
    if (policy !== "drop" && !(table === "firewalld" && family === "inet")) return [];
    return [{ chain: `${family} ${table} ${name}`, hook, remedy: remedy(chain, chains, config) }];
  });
}

function remedy(
  { table, hook, family }: NftChain,
  chains: readonly NftChain[],
  { bridge, hostIp }: Pick<Config, "bridge" | "hostIp">,
): string {
  if (table === "firewalld")
    return `firewall-cmd --permanent --zone=trusted --add-interface=${bridge} && firewall-cmd --reload`;
  const has = (name: string) => chains.some((chain) => chain.table === table && chain.name === name);
  if (has("ufw-user-input") || has("ufw-before-input"))
    return hook === "input"
      ? `ufw allow in on ${bridge} to ${hostIp} port ${DNS_PORT}`
      : `ufw route allow in on ${bridge} && ufw route allow out on ${bridge}`;
  if (has("DOCKER-USER") && hook === "forward")
    return `iptables -I DOCKER-USER -i ${bridge} -j ACCEPT && iptables -I DOCKER-USER -o ${bridge} -j ACCEPT`;
  return hook === "input"
    ? `accept iifname "${bridge}" ip daddr ${hostIp} port ${DNS_PORT} (tcp, udp) in ${family} ${table}`
    : `accept iifname "${bridge}" and oifname "${bridge}" in ${family} ${table}; our own table drops what must not pass`;
}
