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
};

export type Attachment = {
  readonly record: AttachmentRecord;
  readonly nic: GuestNic;
  /** Value of `ip=` on the guest's command line. */
  readonly ipParameter: string;
};

export interface Network {
  readonly mode: "user" | "slot";
  /** Builds a VM's network. On failure nothing of it is left. @throws HypeError network_failed | cancelled | tool_missing */
  attach(
    vm: { id: string; name: string; ipAddress: string; runDir: string; logDir: string },
    signal: AbortSignal,
  ): Promise<Attachment>;
  /** True while the attachment's parts are alive. */
  alive(record: AttachmentRecord): Promise<boolean>;
  /** Removes it; harmless when it is gone. Runs after the VMM is dead. */
  detach(record: AttachmentRecord): Promise<void>;
}
