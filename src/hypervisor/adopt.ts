import { HypeError } from "../contract/index.ts";
import { endProcess, isAlive, runsItsProgram } from "../host/process.ts";
import { CloudHypervisorMachine } from "./cloud-hypervisor/machine.ts";
import type { Machine, MachineRecord } from "./driver.ts";
import { QemuMachine } from "./qemu/machine.ts";

/**
 * Takes up a machine that another server started, by the hypervisor it was started with: a host's choice may have changed since.
 * @returns null when it is not there any more, and then surely dead.
 */
export async function adoptMachine(record: MachineRecord, logDir: string): Promise<Machine | null> {
  if (!isAlive(record.process)) return null;
  try {
    if (!runsItsProgram(record.process))
      throw new HypeError("hypervisor_failed", "the VMM's process runs another program");
    return record.hypervisor === "qemu"
      ? await QemuMachine.open(record, logDir, null)
      : await CloudHypervisorMachine.adopt(record, logDir);
  } catch {
    // A machine that cannot be steered is no machine: the caller was promised that null means dead.
    await endProcess(record.process, 0);
    return null;
  }
}
