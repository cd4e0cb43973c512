import type { Config } from "../config/load.ts";
import { HypeError } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import { ByRecord } from "./by-record.ts";
import type { Network } from "./network.ts";
import { slotNetworkFaults } from "./slot/faults.ts";
import { SlotNetwork, type SlotOptions } from "./slot/slot-network.ts";
import { UserNetwork } from "./user/user-network.ts";

/**
 * The network that new VMs of this host get: slots where it is set up for them, else one passt process per VM. Attachments that were made by
 * the other one are still seen to.
 * @throws HypeError network_unavailable when OVERHYPED_NETWORK=slot and something is missing.
 */
export async function openNetwork(config: Config, log: Log, slots: SlotOptions): Promise<Network> {
  const user = new UserNetwork(config.passt);
  const faults =
    config.network === "user" ? ["OVERHYPED_NETWORK=user"] : await slotNetworkFaults(config, slots.uidOf(1) !== null);
  if (faults.length === 0) {
    const slot = new SlotNetwork(config, log, slots);
    await slot.start();
    log.info("VMs get a slot each", { bridge: config.bridge, subnet: config.subnet });
    return new ByRecord(slot, user);
  }
  if (config.network === "slot")
    throw new HypeError("network_unavailable", `the slot network cannot be used: ${faults.join("; ")}`, { faults });
  log.info("VMs get a passt process each", { instead_of_slots: faults });
  // Only root can have made slots.
  return process.getuid?.() === 0 && Bun.which("ip") ? new ByRecord(user, new SlotNetwork(config, log, slots)) : user;
}
