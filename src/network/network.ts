import type { Egress, EgressPolicy, EgressRefusal } from "../contract/index.ts";
import type { ProcessIdentity } from "../host/process.ts";
import type { GuestNic } from "../hypervisor/driver.ts";

/** Fixed identity inside *every* guest (decision 7): what differs between VMs lives outside, so a copy needs no new address. */
export const INSIDE = {
  address: "10.127.0.2",
  prefix: 30,
  netmask: "255.255.255.252",
  gateway: "10.127.0.1",
  dns: "10.127.0.1",
  mac: "02:68:79:70:65:01",
  interface: "eth0",
} as const;

/** What a row holds of an attachment, so that it can be found and removed after a restart. JSON-safe. */
export type AttachmentRecord = {
  mode: "user" | "slot";
  endpoint: string;
  processes: ProcessIdentity[];
  /** Number of the slot; absent in the user network. */
  slot?: number;
};

/** A VM as the network sees it. */
export type NetworkClient = {
  id: string;
  name: string;
  ipAddress: string;
  runDir: string;
  logDir: string;
  /** User and group the VMM runs as; null: the server's own. What the VMM has to open belongs to it. */
  uid: number | null;
  /** Where processes of this network that serve the VM alone are to live; null or absent: beside the server. */
  cgroup?: string | null;
  egress: EgressPolicy;
};

/** Traffic of a guest since its slot was handed out. */
export type EgressReport = Pick<Egress, "allowed" | "refused" | "refusals">;

export type Attachment = {
  readonly record: AttachmentRecord;
  readonly nic: GuestNic;
  /** Value of `ip=` on the guest's command line. */
  readonly ipParameter: string;
};

export interface Network extends AsyncDisposable {
  readonly mode: "user" | "slot";
  /** Policy of a VM for which none was asked. */
  readonly defaultEgress: EgressPolicy;
  /** @throws HypeError egress_unsupported when this network cannot keep guests to such a policy. */
  mustPolice(policy: EgressPolicy): void;
  /** Builds a VM's network. On failure nothing of it is left. @throws HypeError network_failed | cancelled | tool_missing */
  attach(vm: NetworkClient, signal: AbortSignal): Promise<Attachment>;
  /** True while the attachment's parts are alive. */
  alive(record: AttachmentRecord): Promise<boolean>;
  /** Removes it; harmless when it is gone. Runs after the VMM is dead. */
  detach(record: AttachmentRecord): Promise<void>;
  /** Puts another policy into force at once; connections it forbids end. @throws HypeError egress_unsupported | network_failed */
  setEgress(record: AttachmentRecord, policy: EgressPolicy): Promise<void>;
  /** null where nothing is counted. @throws HypeError network_failed */
  egress(record: AttachmentRecord): Promise<EgressReport | null>;
  /** Removes what is ours on this host and held by no VM, mends what all VMs share, and makes ready what is built ahead. */
  reconcile(held: readonly AttachmentRecord[]): Promise<void>;
  /**
   * Has a listener told which destinations a slot's guest was refused since it was last told. Not every network counts.
   * @returns a function that ends it.
   */
  onRefusal?(listener: (slot: number, refusals: EgressRefusal[]) => void): () => void;
}

/** Position of a lease in its network: names, users and addresses of a VM's slot follow from it alone. */
export function slotNumber(ipAddress: string, subnet: string): number {
  const toNumber = (ip: string) => ip.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return toNumber(ipAddress) - toNumber(subnet.split("/")[0]!);
}
