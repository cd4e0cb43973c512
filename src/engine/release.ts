import { paths } from "../config/paths.ts";
import { type EgressPolicy, type ErrorCode, HypeError, type Proxy, type Vm } from "../contract/index.ts";
import { findProcesses, namedProcesses } from "../host/find-processes.ts";
import { endProcess, type ProcessIdentity } from "../host/process.ts";
import type { MachineRecord } from "../hypervisor/driver.ts";
import type { AttachmentRecord } from "../network/network.ts";
import { NOBODY } from "../network/user/user-network.ts";
import type { VmSecrets } from "../store/vms.ts";
import { type Context, declareGone } from "./context.ts";
import { removeLogDirectory, removeRunDirectory } from "./directories.ts";
import { forget, record, transition } from "./states.ts";

const NOTHING: VmSecrets = {
  token: null,
  machine: null,
  attachment: null,
  egress: { mode: "none", allow: [], deny: [] },
  proxy: null,
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
  proxy: Proxy | null;
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
 * @throws HypeError hypervisor_failed when its processes do not die, network_failed when the network could not be removed.
 */
export async function release(ctx: Context, vmId: string): Promise<void> {
  const live = ctx.live.get(vmId);
  ctx.live.delete(vmId);
  live?.watch?.abort();
  if (live) declareGone(live, "the VM was ended");
  const { machine, attachment } = holdings(ctx, vmId);
  await live?.machine.kill();
  if (machine && !(await endProcess(machine.process, 0)))
    throw new HypeError("hypervisor_failed", `the VMM (pid ${machine.process.pid}) was killed and does not die`);
  await releaseJail(ctx, vmId, machine);
  if (live || machine) record(ctx, vmId, { machine: null, pid: null, token: null, isolation: null });
  if (!live) await endStrays(paths.vmRun(ctx.config, vmId), ourUsers(ctx.config)); // looks at every process of the host
  if (attachment) await ctx.network.detach(attachment);
  await removeRunDirectory(ctx, vmId);
  record(ctx, vmId, { machine: null, pid: null, token: null, attachment: null, endpoint: null });
}

/** An empty cgroup proves that nothing of the VM lives. It is known from the row, and by the VM's id where the server died before it wrote one. */
async function releaseJail(ctx: Context, vmId: string, machine: MachineRecord | null): Promise<void> {
  const cgroups = new Set([machine?.cgroup, ctx.jailer.cgroupOf(vmId)]);
  for (const cgroup of cgroups) if (cgroup) await ctx.jailer.release(cgroup);
}

/**
 * Ends what runs in a run directory without standing in a row: the server died between spawning it and writing it down.
 * @param isOurs users whose processes may be ours; the server's own when not given.
 */
export async function endStrays(runDir: string, isOurs?: (uid: number) => boolean): Promise<void> {
  const strays: ProcessIdentity[] = [...namedProcesses(runDir), ...findProcesses(runDir, isOurs)];
  await Promise.all(strays.map((identity) => endProcess(identity, 0)));
}

/** No subnet holds more leases. */
const USERS = 65_536;

/** Users that processes of our VMs can have: the server's own and, when that is root, those it gives to VMMs. */
export function ourUsers({ uidBase }: Pick<Context["config"], "uidBase">): (uid: number) => boolean {
  const own = process.getuid?.();
  if (own !== 0) return (uid) => uid === own;
  return (uid) => uid === 0 || uid === NOBODY || (uid >= uidBase && uid < uidBase + USERS);
}

/**
 * Removes a VM from any state, as far as it exists; its name and address become free last.
 * @throws HypeError network_failed | state_unwritable …: the row stays, in state `deleting` or `creating`, for the next sweep.
 */
export async function discard(ctx: Context, vm: Vm, reason: string, code?: ErrorCode): Promise<void> {
  await release(ctx, vm.id);
  await removeLogDirectory(ctx, vm.id);
  forget(ctx, vm, reason, code);
}

/** Marks a VM for deletion unless it is, then discards it. */
export async function remove(ctx: Context, vm: Vm, reason: string): Promise<void> {
  const marked = vm.status === "deleting" ? vm : transition(ctx, vm.id, "deleting", { data: { reason } });
  await discard(ctx, marked, reason);
}
