import type { MachineExit } from "../hypervisor/driver.ts";

/** What a VMM said last is wanted, but not a page of it in every list of VMs. */
const OUTPUT_CHARACTERS = 600;

/** Why a machine ended, in one sentence for `status_reason`. */
export function exitReason(exit: MachineExit): string {
  if (exit.guestFault === "panic") return "the guest kernel panicked";
  if (exit.guestFault === "reset") return "the guest asked for a reset; a VM is never reset in place";
  if (exit.guestShutdown) return "the guest powered itself off";
  const how =
    exit.signal !== null
      ? `was killed by ${exit.signal}`
      : exit.exitCode !== null
        ? `ended with exit code ${exit.exitCode}`
        : "is gone";
  const output = Bun.stripANSI(exit.output).trim().slice(-OUTPUT_CHARACTERS);
  return `the VMM process ${how}${output === "" ? "" : `: ${output}`}`;
}
