import type { Client } from "../../client/types.ts";
import { type ErrorCode, HypeError, isErrorCode } from "../../contract/errors.ts";
import type { VmEvent } from "../../contract/event.ts";
import type { Vm } from "../../contract/vm.ts";
import type { Progress } from "../output/progress.ts";

/** Every event of one VM from its first on: those already written, then those to come. */
export async function* vmEvents(client: Client, vm: Vm, signal: AbortSignal): AsyncGenerator<VmEvent> {
  const past = await client.events.list({ vm: vm.id, limit: 1000 }, { signal });
  yield* past.items;
  const after = past.items.at(-1)?.seq ?? 0;
  for await (const event of client.events.stream({ after, signal })) if (event.vm_id === vm.id) yield event;
}

const PHASES: Record<string, [done: string, next: string | null]> = {
  spawned: ["Started the hypervisor", "Booting the guest"],
  agent: ["Booted the guest", "Starting Chromium"],
  browser: ["Started Chromium", null],
  profile: ["Opened the profile", "Giving Chromium the profile"],
};

/** How often a boot's server is asked whether it is still there, and how often it may fail to answer. */
const WATCH = { everyMs: 10_000, failures: 3 };

/**
 * Waits until a VM that was just asked for is usable, telling its boot phases. A server that restarts meanwhile is waited for: VMs
 * outlive it; one that stays away is not.
 * @throws HypeError with the server's reason when it crashed, or was stopped or deleted meanwhile; server_unreachable; cancelled on abort
 */
export async function waitRunning(
  client: Client,
  vm: Vm,
  progress: Progress,
  signal: AbortSignal,
  watch = WATCH,
): Promise<Vm> {
  using watchdog = watchServer(client, vm, watch);
  const either = AbortSignal.any([signal, watchdog.lost]);
  try {
    for await (const event of vmEvents(client, vm, either)) {
      if (event.type === "VM_RUNNING") {
        progress.done("Started Chromium");
        return await client.vms.get(vm.id, { signal });
      }
      if (event.type === "VM_CRASHED") throw failure(event, (await client.vms.get(vm.id, { signal })).console_tail);
      // With a code: its creation failed, and what is left of it will be removed.
      const isFailure = event.type === "VM_DELETING" && isErrorCode(event.data.code);
      if (event.type === "VM_STOPPED" || event.type === "VM_DELETED" || isFailure) throw failure(event, null);
      if (event.type === "VM_BOOT_PROGRESS") tell(progress, event);
    }
  } catch (thrown) {
    if (!watchdog.lost.aborted) throw thrown;
  }
  signal.throwIfAborted();
  watchdog.lost.throwIfAborted();
  throw new HypeError("server_unreachable", `the event stream of ${client.base} ended while ${vm.name} was booting`);
}

function tell(progress: Progress, event: VmEvent): void {
  const phase = PHASES[String(event.data.phase)];
  if (!phase) return;
  progress.done(phase[0]);
  if (phase[1]) progress.step(phase[1]);
}

/** The event stream connects again for ever; this says when that is hopeless. */
function watchServer(client: Client, vm: Vm, watch: typeof WATCH): Disposable & { lost: AbortSignal } {
  const lost = new AbortController();
  let failures = 0;
  const ask = async () => {
    try {
      await client.vms.get(vm.id);
      failures = 0;
    } catch (thrown) {
      if (thrown instanceof HypeError && thrown.code !== "server_unreachable") return;
      failures += 1;
      if (failures >= watch.failures) lost.abort(thrown);
    }
  };
  const timer = setInterval(() => void ask(), watch.everyMs);
  return { lost: lost.signal, [Symbol.dispose]: () => clearInterval(timer) };
}

/** What ended a boot somebody waited for; the event carries the server's own code where it has one. */
const ENDINGS = {
  VM_CRASHED: ["boot_failed", "crashed"],
  VM_STOPPED: ["vm_not_running", "was stopped"],
  VM_DELETING: ["vm_not_found", "is being deleted"],
  VM_DELETED: ["vm_not_found", "was deleted"],
} as const satisfies Record<string, [ErrorCode, string]>;

function failure({ type, vm_name, data }: VmEvent, consoleTail: string | null): HypeError {
  const [fallback, end] = ENDINGS[type as keyof typeof ENDINGS];
  // Cancelled by somebody else: for us it is gone.
  const code = isErrorCode(data.code) && data.code !== "cancelled" ? data.code : fallback;
  const words = type.startsWith("VM_DELET") && code !== fallback ? "could not be created" : `${end} while booting`;
  const reason = typeof data.reason === "string" ? `: ${data.reason}` : "";
  const tail = consoleTail ? `\n${consoleTail.trimEnd()}` : "";
  return new HypeError(code, `${vm_name} ${words}${reason}${tail}`, { vm: vm_name });
}
