import { existsSync, readFileSync } from "node:fs";
import ipaddr from "ipaddr.js";

/** A network of this host, from the kernel's main routing table. */
export type Route = { interface: string; network: string };

/** Addresses there are little-endian hex (proc(5), /proc/net/route). */
const address = (hex: string): string => Buffer.from(hex, "hex").reverse().join(".");

/** IPv4 routes of the main table but the default ones. Needs no program. */
export function routes(text = readOr("/proc/net/route", "")): Route[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter((fields) => fields.length > 7 && fields[7] !== "00000000")
    .map((fields) => {
      const bits = ipaddr.IPv4.parse(address(fields[7]!)).prefixLengthFromSubnetMask() ?? 32;
      return { interface: fields[0]!, network: `${address(fields[1]!)}/${bits}` };
    });
}

/** Routes of other programs that share addresses with the VMs' subnet. @param ours interface that may */
export function conflictingRoutes(subnet: string, ours: string, known = routes()): Route[] {
  const overlaps = (one: string, other: string) => {
    const [a, aBits] = ipaddr.IPv4.parseCIDR(one);
    const [b, bBits] = ipaddr.IPv4.parseCIDR(other);
    return a.match(b, Math.min(aBits, bBits));
  };
  return known.filter((route) => route.interface !== ours && overlaps(route.network, subnet));
}

/** Other programs that manage the firewall of this host, as files and interfaces tell: also those that are not up yet. Needs no root. */
export function firewallManagers(
  exists: (path: string) => boolean = existsSync,
  read: (path: string, fallback: string) => string = readOr,
): string[] {
  const enabled = (unit: string) =>
    ["multi-user", "sysinit", "basic"].some((target) => exists(`/etc/systemd/system/${target}.target.wants/${unit}`));
  const seen: Record<string, boolean> = {
    docker: exists("/sys/class/net/docker0") || exists("/run/docker.sock"),
    ufw: /^ENABLED=yes/m.test(read("/etc/ufw/ufw.conf", "")),
    firewalld: exists("/run/firewalld") || enabled("firewalld.service"),
    "nftables.service": enabled("nftables.service"),
  };
  return Object.keys(seen).filter((name) => seen[name]);
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
