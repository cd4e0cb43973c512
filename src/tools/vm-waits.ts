import { HypeError, type Vm, type VmEvent } from "../contract/index.ts";
import { line } from "./markdown.ts";
import { tellWaiting } from "./tell-waiting.ts";
import type { ToolContext } from "./tool.ts";

const PHASES: Record<string, string> = {
  spawned: "the machine runs, its kernel boots",
  agent: "the agent in it answers, the browser starts",
  browser: "the browser answers",
};
const STEPS = Object.keys(PHASES).length + 1;

/** Tells the caller how far a boot is while `work` goes on. Watching costs nothing where nobody boots. */
export async function tellBoot<T>(context: ToolContext, ref: string, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const watching = watch(context, ref, AbortSignal.any([stop.signal, context.signal]));
  try {
    return await work();
  } finally {
    stop.abort();
    await watching;
  }
}

async function watch({ house, progress }: ToolContext, ref: string, signal: AbortSignal): Promise<void> {
  let done = 0;
  const tell = (at: number, message: string) => {
    if (at > done) progress({ done: (done = at), total: STEPS, message });
  };
  try {
    for await (const event of house.events(signal)) {
      if (event.vm_name !== ref && event.vm_id !== ref) continue;
      if (event.type === "VM_STARTING") tell(1, `${event.vm_name} starts`);
      if (event.type !== "VM_BOOT_PROGRESS") continue;
      const phase = String(event.data.phase);
      const at = Object.keys(PHASES).indexOf(phase);
      if (at >= 0) tell(at + 2, `${event.vm_name}: ${PHASES[phase]}`);
    }
  } catch {
    // What is told on the way is not what was asked for: the work itself says what became of it.
  }
}

type Wanted = "running" | "paused" | "stopped" | "crashed" | "deleted";

/**
 * @returns the VM once it has the status; null once it is deleted
 * @throws HypeError vm_not_found | operation_timeout | cancelled | vm_state_conflict when it cannot come to that by itself any more
 */
export async function untilStatus(
  context: ToolContext,
  ref: string,
  wanted: Wanted,
  timeoutMs: number,
): Promise<Vm | null> {
  const { house, signal } = context;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const stop = AbortSignal.any([signal, deadline.signal]);
  const { id, name } = house.get(ref);
  const look = (): Vm | null => {
    try {
      return house.get(id);
    } catch (thrown) {
      if (thrown instanceof HypeError && thrown.code === "vm_not_found") return null;
      throw thrown;
    }
  };
  const waited = async (tell: () => void): Promise<Vm | null | undefined> => {
    const events = house.events(stop)[Symbol.asyncIterator]();
    let next: Promise<IteratorResult<VmEvent>> = events.next(); // asked before the first look: nothing falls between
    for (;;) {
      const vm = look();
      if (vm === null) {
        if (wanted === "deleted") return null;
        throw new HypeError("vm_not_found", `${name} was deleted meanwhile`, { vm: name });
      }
      if (vm.status === wanted) return vm;
      if (wanted === "running" && (vm.status === "crashed" || vm.status === "stopped"))
        throw new HypeError(
          "vm_state_conflict",
          `${name} is ${vm.status}${vm.status_reason ? ` (${line(vm.status_reason)})` : ""}: vm_start starts it`,
          { vm: name, status: vm.status },
        );
      const { done, value } = await next;
      if (done || stop.aborted) return undefined;
      if (value.vm_id === id) tell();
      next = events.next();
    }
  };
  try {
    const found = await tellWaiting(context, timeoutMs, () => `${name} is ${look()?.status ?? "gone"}`, waited);
    if (found !== undefined) return found;
  } finally {
    clearTimeout(timer);
    deadline.abort(); // ends the stream of events
  }
  if (signal.aborted) throw new HypeError("cancelled", "the wait was cancelled");
  const now = look();
  throw new HypeError("operation_timeout", `${name} is still ${now?.status ?? "gone"} after ${timeoutMs} ms`, {
    vm: name,
    status: now?.status ?? "gone",
  });
}
