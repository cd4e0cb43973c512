import { dirname } from "node:path";
import { HypeError, messageOf, type Vm } from "../contract/index.ts";
import { Guest } from "../guest/guest.ts";
import { isAlive } from "../host/process.ts";
import type { Machine, MachineState } from "../hypervisor/driver.ts";
import type { AttachmentRecord } from "../network/network.ts";
import { awaitUsable } from "./boot.ts";
import { cancelReason, type Context, inBackground, type LiveVm, mustFind } from "./context.ts";
import { crash, halt } from "./crash.ts";
import { logFiles } from "./directories.ts";
import { afterResume } from "./pause.ts";
import { mendProxy } from "./proxy.ts";
import { holdings } from "./release.ts";
import { record, transition } from "./states.ts";
import { watchAgent, watchMachine } from "./supervise.ts";

/**
 * Takes up a VM that another server started and goes on with it where that one left off. Call it under the VM's lock.
 * A VM whose VMM or network is gone is `crashed` afterwards.
 * @throws HypeError hypervisor_unavailable and the like: the VM is left alone, alive, for the next sweep.
 */
export async function adopt(ctx: Context, vm: Vm): Promise<void> {
  const { machine: known, attachment, token } = holdings(ctx, vm.id);
  if (!known || !attachment || token === null || !isAlive(known.process)) {
    await crash(ctx, vm, "the VMM was gone when the server came back");
    return;
  }
  const driver = await ctx.driver();
  const machine = await driver.adopt(known, dirname(logFiles(ctx, vm.id).console));
  if (!machine) {
    await crash(ctx, vm, "the VMM was gone when the server came back");
    return;
  }
  const found = await look(ctx, machine, attachment);
  const guest = new Guest(attachment.endpoint, token);
  const awaitsProfile = vm.status === "starting" && vm.profile !== null; // whether it does nobody knows any more
  const gone = new AbortController();
  const live: LiveVm = { id: vm.id, machine, guest, gone, awaitsProfile, watch: null, page: null };
  ctx.live.set(vm.id, live);
  if (found === "cut off") {
    await crash(ctx, vm, "its network was gone when the server came back");
    return;
  }
  record(ctx, vm.id, {}, "VM_ADOPTED", { pid: known.process.pid });
  if (vm.status === "starting") {
    inBackground(ctx, `booting ${vm.name}`, bootOn(ctx, live, vm));
    return;
  }
  watchMachine(ctx, live);
  if (found === "running") mendProxy(ctx, live);
  // The machine is right where it and the row differ: the server died between a pause or resume and writing it down.
  if (found === "paused" && vm.status === "running") transition(ctx, vm.id, "paused");
  else if (found === "running" && vm.status === "paused") await afterResume(ctx, live);
  else if (found === "running") watchAgent(ctx, live);
}

async function look(ctx: Context, machine: Machine, attachment: AttachmentRecord): Promise<MachineState | "cut off"> {
  try {
    return (await ctx.network.alive(attachment)) ? await machine.state() : "cut off";
  } catch (thrown) {
    machine.detach();
    throw thrown;
  }
}

/** The deadline starts anew: the time without a server must not end a VM that came up by itself. */
async function bootOn(ctx: Context, live: LiveVm, vm: Vm): Promise<void> {
  const startedAtMs = vm.started_at === null ? ctx.clock() : Date.parse(vm.started_at);
  await ctx.locks.run(
    vm.id,
    async (signal) => {
      try {
        await awaitUsable(ctx, live, { startedAtMs, deadlineMs: ctx.config.bootTimeoutMs }, signal);
      } catch (thrown) {
        const error = signal.aborted ? cancelReason(signal) : thrown;
        const lettingGo = error instanceof HypeError && error.code === "shutting_down";
        if (mustFind(ctx, vm.id).status === "starting" && !lettingGo)
          await halt(ctx, vm, `not started: ${messageOf(error)}`);
        throw error;
      }
    },
    { yieldsTo: ["stop", "delete"] },
  );
}
