import { createHash } from "node:crypto";
import type { Config } from "../../config/load.ts";

/** Port of the host's address at which our resolver answers guests; not 53, which other name servers of a host like to take on every address. */
export const DNS_PORT = 7053;

/** Where ip-netns(8) keeps the names of network namespaces. */
export const NETNS_DIR = "/run/netns";

/** Name of a slot's namespace and of the host's end of its veth pair, at most 10 characters. */
export const slotName = (slot: number): string => `hype-${slot}`;

/** Number in a name that a slot could have, else null. */
export function slotOf(name: string): number | null {
  const digits = /^hype-([1-9]\d{0,4})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Address of a slot: the lease it is named by. */
export function slotAddress(slot: number, subnet: string): string {
  const first = subnet
    .split("/")[0]!
    .split(".")
    .reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return [24, 16, 8, 0].map((shift) => ((first + slot) >>> shift) & 255).join(".");
}

const hexPair = (value: number): string => value.toString(16).padStart(2, "0");
const numbered = (prefix: string, slot: number): string => `${prefix}:${hexPair(slot >> 8)}:${hexPair(slot & 255)}`;
/** Addresses of the two ends of a slot's veth pair: the same at every build, so that no neighbour's memory goes stale. */
export const hostMac = (slot: number): string => numbered("02:68:79:71", slot);
export const innerMac = (slot: number): string => numbered("02:68:79:70", slot);

/**
 * Number of this installation: every interface it makes is put into this interface group (ip-link(8)) by the very system call that makes it,
 * so that a half-built slot is known as ours, and those of another installation are not. From the state directory, 31 bits; 0 is the kernel's default.
 */
export function installationGroup(config: Pick<Config, "home">): number {
  const digest = createHash("sha256").update(config.home).digest();
  return (digest.readUInt32BE(0) >>> 1) | 1;
}

/** Our table on the host. Named by the bridge, so that two installations keep their hands off each other's. */
export const hostTable = (config: Pick<Config, "bridge">): string => `overhyped-${config.bridge}`;
