import { randomBytes } from "node:crypto";
import type { Vm } from "../contract/index.ts";
import { Guest } from "../guest/guest.ts";
import { kernelCommandLine } from "./command-line.ts";
import { type Context, type LiveVm, now, throwIfCancelled, unlessCancelled } from "./context.ts";
import { makeDirectories, removeRunDirectory } from "./directories.ts";
import { holdings } from "./release.ts";
import { record, transition } from "./states.ts";
import { slotNumber } from "../network/network.ts";
import { withUndo } from "./undo.ts";

/**
 * Brings a VM from its row to a spawned VMM: directories, token, image, jail, network, machine. Every step says in the row what
 * it made and registers its undo. The row is `starting` afterwards.
 * @throws HypeError image_*, jail_unavailable, network_*, hypervisor_*, tool_missing, disk_full, cancelled …; nothing is left then but row and logs.
 */
export async function spawn(ctx: Context, vm: Vm, signal: AbortSignal): Promise<LiveVm> {
  return await withUndo(ctx.log, async (undo) => {
    const slot = slotNumber(vm.ip_address, ctx.config.subnet);
    const uid = ctx.jailer.uidOf(slot);
    const { runDir, workDir, logDir } = await makeDirectories(ctx, vm.id, uid);
    undo.defer(() => removeRunDirectory(ctx, vm.id));
    const token = randomBytes(32).toString("hex");
    record(ctx, vm.id, { token });

    const image = await ctx.images.resolve(vm.image === DEFAULT_IMAGE ? null : vm.image);
    throwIfCancelled(signal);
    record(ctx, vm.id, { image: image.id });
    // The first one of a server waits for the probe of KVM, up to ten seconds: before anything is built, and not after a cancellation.
    const driver = await unlessCancelled(ctx.driver(), signal);

    const { accelerator } = driver;
    const jail = await ctx.jailer.make({
      vmId: vm.id,
      slot,
      cpuCores: vm.cpu_cores,
      memoryMb: vm.memory_mb,
      accelerator,
    });
    undo.defer(async () => {
      if (jail.cgroup !== null) await ctx.jailer.release(jail.cgroup);
    });

    const attachment = await ctx.network.attach(
      {
        id: vm.id,
        name: vm.name,
        ipAddress: vm.ip_address,
        runDir,
        logDir,
        uid,
        cgroup: jail.cgroup,
        egress: holdings(ctx, vm.id).egress,
      },
      signal,
    );
    undo.defer(async () => {
      await ctx.network.detach(attachment.record);
      record(ctx, vm.id, { attachment: null, endpoint: null });
    });
    record(ctx, vm.id, {
      attachment: attachment.record,
      endpoint: attachment.record.endpoint,
      network: ctx.network.mode,
    });
    throwIfCancelled(signal);

    const awaitsProfile = vm.profile !== null && ctx.profiles.isWhole(vm.profile);
    const machine = await driver.start(
      {
        vmId: vm.id,
        cpuCores: vm.cpu_cores,
        memoryMb: vm.memory_mb,
        kernel: image.kernel,
        initramfs: image.initramfs,
        rootfs: image.rootfs,
        cmdline: kernelCommandLine(vm, image, attachment.ipParameter, {
          hasProxy: holdings(ctx, vm.id).proxy !== null,
          awaitsProfile,
        }),
        token,
        nic: attachment.nic,
        workDir,
        runDir,
        logDir,
        jail,
      },
      signal,
    );
    undo.defer(() => machine.kill());
    const patch = {
      machine: machine.record,
      hypervisor: machine.record.hypervisor,
      accelerator: machine.record.accelerator,
      isolation: machine.isolation,
      pid: machine.record.process.pid,
      started_at: now(ctx),
    };
    if (vm.status === "creating") transition(ctx, vm.id, "starting", { patch });
    else record(ctx, vm.id, patch);
    record(ctx, vm.id, {}, "VM_BOOT_PROGRESS", { phase: "spawned" });

    const guest = new Guest(attachment.record.endpoint, token);
    const live: LiveVm = {
      id: vm.id,
      machine,
      guest,
      gone: new AbortController(),
      awaitsProfile,
      watch: null,
      page: null,
    };
    ctx.live.set(vm.id, live);
    return live;
  });
}

/** Stands in `image` until the image of a new VM is resolved: the one that is default at that moment. */
export const DEFAULT_IMAGE = "default";
