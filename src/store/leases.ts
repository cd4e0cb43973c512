import type { Database } from "bun:sqlite";
import ipaddr from "ipaddr.js";
import { HypeError } from "../contract/index.ts";

/** The addresses of the VMs' network. An address belongs to one VM for its whole life; the database refuses a second owner. */
export class Leases {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Takes the lowest free address; call it in the transaction that inserts the VM.
   * @throws HypeError lease_pool_empty
   */
  take(vmId: string, network: { subnet: string; hostIp: string }): string {
    const taken = new Set(
      this.#db
        .query<{ ip: string }, []>("select ip from leases")
        .all()
        .map((row) => row.ip),
    );
    for (const ip of addresses(network)) {
      if (taken.has(ip)) continue;
      this.#db
        .query("insert into leases (ip, vm_id, leased_at) values (?, ?, ?)")
        .run(ip, vmId, new Date().toISOString());
      return ip;
    }
    throw new HypeError("lease_pool_empty", `all ${taken.size} addresses of ${network.subnet} are leased`, {
      subnet: network.subnet,
    });
  }

  /** Call it in the transaction that removes the VM, after that. */
  free(vmId: string): void {
    this.#db.query("delete from leases where vm_id = ?").run(vmId);
  }

  used(): number {
    return this.#db.query<{ n: number }, []>("select count(*) as n from leases").get()?.n ?? 0;
  }
}

const toNumber = (ip: string): number =>
  ipaddr.IPv4.parse(ip)
    .toByteArray()
    .reduce((sum, octet) => sum * 256 + octet, 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");

/** Addresses a VM may have, lowest first: all of the subnet but its network, broadcast and host address. */
export function* addresses(network: { subnet: string; hostIp: string }): Generator<string> {
  const first = toNumber(ipaddr.IPv4.networkAddressFromCIDR(network.subnet).toString());
  const last = toNumber(ipaddr.IPv4.broadcastAddressFromCIDR(network.subnet).toString());
  for (let value = first + 1; value < last; value++) {
    const ip = toText(value);
    if (ip !== network.hostIp) yield ip;
  }
}

/** How many VMs the subnet can hold. */
export function poolSize(network: { subnet: string; hostIp: string }): number {
  const bits = 32 - Number(network.subnet.split("/")[1]);
  const hostInside = ipaddr.IPv4.parse(network.hostIp).match(ipaddr.IPv4.parseCIDR(network.subnet));
  return 2 ** bits - 2 - (hostInside ? 1 : 0);
}
