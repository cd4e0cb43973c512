import { join } from "node:path";
import { shortId } from "../config/paths.ts";
import { messageOf, type Vm } from "../contract/index.ts";
import { removeTree } from "../host/files.ts";
import { bootId } from "../host/process.ts";
import { adopt } from "./adopt.ts";
import { type Context, inBackground } from "./context.ts";
import { crash, halt } from "./crash.ts";
import { vmDirectoriesIn } from "./directories.ts";
import { discard, endStrays, holdings, ourUsers, release, remove } from "./release.ts";
import { RESTART, startUnderLock } from "./start.ts";
import { record } from "./states.ts";

/**
 * Compares rows with what is there and brings both together: what a dead server left half done is undone or finished, VMs
 * that live are taken up, VMs that do not are said to be crashed. Cheap when all agrees; all VMs at once.
 */
export async function reconcile(ctx: Context): Promise<void> {
  await Promise.all(
    ctx.store.vms
      .all()
      .filter((vm) => !ctx.locks.busy(vm.id) && isOdd(ctx, vm))
      .map(async (vm) => {
        try {
          await ctx.locks.run(vm.id, () => settle(ctx, vm.id));
        } catch (thrown) {
          // Left as it is: the next sweep tries again.
          ctx.log.error(`${vm.name} could not be reconciled: ${messageOf(thrown)}`, { vm: vm.id, error: thrown });
        }
      }),
  );
  await reconcileJails(ctx);
  await removeStrayDirectories(ctx);
  await reconcileNetwork(ctx);
}

/** A row is older than its jail, and the jail of a VM with a row is its own affair: what no row stands for is nobody's. */
async function reconcileJails(ctx: Context): Promise<void> {
  const held = ctx.store.vms.all().map((vm) => ctx.jailer.cgroupOf(vm.id));
  try {
    await ctx.jailer.reconcile(new Set(held.filter((cgroup) => cgroup !== null)));
  } catch (thrown) {
    ctx.log.error(`jails without a VM could not be removed: ${messageOf(thrown)}`, { error: thrown });
  }
}

/** Whatever fails here fails again at the next create or sweep, where it can be told. */
async function reconcileNetwork(ctx: Context): Promise<void> {
  const held = ctx.store.vms
    .all()
    .map((vm) => holdings(ctx, vm.id).attachment)
    .filter((attachment) => attachment !== null);
  try {
    await ctx.network.reconcile(held);
  } catch (thrown) {
    ctx.log.error(`the network could not be reconciled: ${messageOf(thrown)}`, { error: thrown });
  }
}

/** True when a row that nobody works on says something that cannot last. */
function isOdd(ctx: Context, vm: Vm): boolean {
  switch (vm.status) {
    case "creating":
    case "stopping":
    case "deleting":
      return true;
    case "starting":
    case "running":
    case "paused":
      return !ctx.live.has(vm.id);
    case "stopped":
    case "crashed": {
      const { machine, attachment, intent } = holdings(ctx, vm.id);
      return machine !== null || attachment !== null || intent !== null;
    }
  }
}

async function settle(ctx: Context, vmId: string): Promise<void> {
  const vm = ctx.store.vms.find(vmId);
  if (!vm || !isOdd(ctx, vm)) return;
  switch (vm.status) {
    case "creating":
      return await discard(ctx, vm, "the server ended while it was being created");
    case "deleting":
      return await remove(ctx, vm, "deleted");
    case "stopping":
      await halt(ctx, vm, null);
      return startAgain(ctx, vm);
    case "stopped":
    case "crashed":
      await release(ctx, vm.id);
      return startAgain(ctx, vm);
    default:
      return await takeUp(ctx, vm);
  }
}

async function takeUp(ctx: Context, vm: Vm): Promise<void> {
  const { machine } = holdings(ctx, vm.id);
  if (machine === null && vm.status === "starting")
    await halt(ctx, vm, "not started: the server ended before its VMM ran");
  else if (machine === null) await crash(ctx, vm, "nothing is known of its VMM");
  else if (machine.process.bootId !== bootId()) await halt(ctx, vm, "the host rebooted");
  else await adopt(ctx, vm);
}

/** A restart that was cut between stop and start goes on. */
function startAgain(ctx: Context, vm: Vm): void {
  if (holdings(ctx, vm.id).intent !== RESTART) return;
  record(ctx, vm.id, { intent: null });
  const start = ctx.locks.run(vm.id, (signal) => startUnderLock(ctx, vm.id, signal, () => {}), {
    yieldsTo: ["stop", "delete"],
  });
  inBackground(ctx, `restarting ${vm.name}`, start);
}

/** Directories of VMs that have no row, with the processes that belong to them. A row is older than its directories, so none is in the making. */
async function removeStrayDirectories(ctx: Context): Promise<void> {
  const found = [ctx.config.runtimeDir, ctx.config.logDir].flatMap((parent) =>
    vmDirectoriesIn(parent).map((name) => ({ name, path: join(parent, name) })),
  );
  const known = new Set(ctx.store.vms.all().map((vm) => shortId(vm.id)));
  await Promise.all(
    found
      .filter(({ name }) => !known.has(name))
      .map(async ({ path }) => {
        ctx.log.warn("removing what a VM without a row left behind", { path });
        await endStrays(path, ourUsers(ctx.config));
        await removeTree(path);
      }),
  );
}
