import { paths } from "../config/paths.ts";
import type { EgressPolicy, ErrorCode, Vm } from "../contract/index.ts";
import { findProcesses, namedProcesses } from "../host/find-processes.ts";
import { endProcess, type ProcessIdentity } from "../host/process.ts";
import type { MachineRecord } from "../hypervisor/driver.ts";
import type { AttachmentRecord } from "../network/network.ts";
import type { VmSecrets } from "../store/vms.ts";
import { type Context, declareGone } from "./context.ts";
import { removeLogDirectory, removeRunDirectory } from "./directories.ts";
import { forget, record, transition } from "./states.ts";

const NOTHING: VmSecrets = {
  token: null,
  machine: null,
  attachment: null,
  egress: { mode: "none", allow: [], deny: [] },
  intent: null,
};

/** What a row holds of machine and network; typed here, since the store knows neither room. */
export function holdings(
  ctx: Context,
  vmId: string,
): {
  token: string | null;
  machine: MachineRecord | null;
  attachment: AttachmentRecord | null;
  egress: EgressPolicy;
  intent: string | null;
} {
  const secrets = ctx.store.vms.secrets(vmId) ?? NOTHING;
  return {
    ...secrets,
    machine: secrets.machine as MachineRecord | null,
    attachment: secrets.attachment as AttachmentRecord | null,
  };
}

/**
 * Ends a VM's processes and removes its network and run directory, from whatever is known of them: the machine in our
 * hands, the row, pid files, marked processes. Harmless where nothing is there. Each record is cleared when its thing is
 * gone, so that what failed is tried again by the next sweep.
 * @throws HypeError network_failed when the network could not be removed.
 */
export async function release(ctx: Context, vmId: string): Promise<void> {
  const live = ctx.live.get(vmId);
  ctx.live.delete(vmId);
  live?.watch?.abort();
  if (live) declareGone(live, "the VM was ended");
  const { machine, attachment } = holdings(ctx, vmId);
  await live?.machine.kill();
  if (machine) await endProcess(machine.process, 0);
  if (machine?.cgroup) await ctx.jailer.release(machine.cgroup);
  if (live || machine) record(ctx, vmId, { machine: null, pid: null, token: null, isolation: null });
  if (!live) await endStrays(paths.vmRun(ctx.config, vmId)); // looks at every process of the host
  if (attachment) await ctx.network.detach(attachment);
  removeRunDirectory(ctx, vmId);
  record(ctx, vmId, { machine: null, pid: null, token: null, attachment: null, endpoint: null });
}

/** Ends what runs in a run directory without standing in a row: the server died between spawning it and writing it down. */
export async function endStrays(runDir: string): Promise<void> {
  const strays: ProcessIdentity[] = [...namedProcesses(runDir), ...findProcesses(runDir)];
  await Promise.all(strays.map((identity) => endProcess(identity, 0)));
}

/**
 * Removes a VM from any state, as far as it exists; its name and address become free last.
 * @throws HypeError network_failed | state_unwritable …: the row stays, in state `deleting` or `creating`, for the next sweep.
 */
export async function discard(ctx: Context, vm: Vm, reason: string, code?: ErrorCode): Promise<void> {
  await release(ctx, vm.id);
  removeLogDirectory(ctx, vm.id);
  forget(ctx, vm, reason, code);
}

/** Marks a VM for deletion unless it is, then discards it. */
export async function remove(ctx: Context, vm: Vm, reason: string): Promise<void> {
  const marked = vm.status === "deleting" ? vm : transition(ctx, vm.id, "deleting", { data: { reason } });
  await discard(ctx, marked, reason);
}
