import { HypeError, messageOf, type Vm } from "../contract/index.ts";
import { waitReady } from "../guest/wait-ready.ts";
import type { MachineExit } from "../hypervisor/driver.ts";
import { cancelReason, type Context, type LiveVm, mustFind } from "./context.ts";
import { crash } from "./crash.ts";
import { consoleTail, logFiles } from "./directories.ts";
import { exitReason } from "./exit-reason.ts";
import { giveProfile, giveWholeProfile, mayAwait, notGiven } from "./profile.ts";
import { giveProxy } from "./proxy.ts";
import { record, transition } from "./states.ts";
import { watchMachine, watchAgent } from "./supervise.ts";

/**
 * Waits until the spawned guest's browser is usable, then says `running` and keeps watch over it.
 * A VM that dies or misses its deadline is `crashed` when this throws; a cancelled one is left as it is.
 * @param when.startedAtMs when the start began, on the engine's clock: `boot_ms` counts from there.
 * @throws HypeError boot_failed | boot_timeout, naming the console's last lines; profile_* and what its import ends with; cancelled
 */
export async function awaitUsable(
  ctx: Context,
  live: LiveVm,
  when: { startedAtMs: number; deadlineMs: number },
  signal: AbortSignal,
): Promise<Vm> {
  const died = new AbortController();
  let exit: MachineExit | null = null;
  void live.machine.exited.then((found) => {
    exit = found;
    died.abort();
  });
  let isGiven = false;
  let givingFailed = false;
  const beforeBrowser = async (until: AbortSignal) => {
    try {
      isGiven = await giveWholeProfile(ctx, live, until);
    } catch (thrown) {
      givingFailed = true;
      throw thrown;
    }
  };
  try {
    await waitReady(live.guest, {
      consoleLog: logFiles(ctx, live.id).console,
      deadlineMs: when.deadlineMs,
      signal: AbortSignal.any([signal, died.signal]),
      beforeBrowser: mayAwait(ctx, live) ? beforeBrowser : undefined,
      onPhase: (phase) => record(ctx, live.id, {}, "VM_BOOT_PROGRESS", { phase }),
    });
    await giveProxy(ctx, live, AbortSignal.any([signal, died.signal]));
  } catch (thrown) {
    if (signal.aborted) throw cancelReason(signal);
    throw givingFailed && !exit ? await notGiven(ctx, live, thrown) : await bootFailed(ctx, live, exit, thrown);
  }
  try {
    if (!isGiven) await giveProfile(ctx, live, AbortSignal.any([signal, died.signal]));
  } catch (thrown) {
    if (signal.aborted) throw cancelReason(signal);
    throw exit ? await bootFailed(ctx, live, exit, thrown) : await notGiven(ctx, live, thrown);
  }
  const bootMs = Math.round(ctx.clock() - when.startedAtMs);
  const vm = transition(ctx, live.id, "running", { patch: { boot_ms: bootMs }, data: { boot_ms: bootMs } });
  watchMachine(ctx, live);
  watchAgent(ctx, live);
  return vm;
}

/** The deadline of a boot counts from its start: the time the image, network and VMM took is part of it. */
export const bootTimes = (ctx: Context, startedAtMs: number): { startedAtMs: number; deadlineMs: number } => ({
  startedAtMs,
  deadlineMs: Math.max(1, ctx.config.bootTimeoutMs - (ctx.clock() - startedAtMs)),
});

/** Ends and keeps the VM as `crashed`. @returns the error for whoever waits for the boot. */
async function bootFailed(ctx: Context, live: LiveVm, exit: MachineExit | null, thrown: unknown): Promise<HypeError> {
  const vm = mustFind(ctx, live.id);
  const late = exit === null && thrown instanceof HypeError && isTimeout(thrown);
  const why = exit
    ? `${exitReason(exit)} while booting`
    : late
      ? `not usable within ${ctx.config.bootTimeoutMs} ms: ${messageOf(thrown)}`
      : `boot failed: ${messageOf(thrown)}`;
  const tail = consoleTail(ctx, live.id);
  const code = late ? "boot_timeout" : "boot_failed";
  await crash(ctx, live, why, code);
  return new HypeError(
    code,
    `${vm.name}: ${why}${tail ? `\nconsole: ${lastLines(tail)}` : "\nthe console stayed empty"}`,
    { vm: vm.name, console_tail: tail },
    { cause: thrown },
  );
}

const isTimeout = (error: HypeError): boolean => error.code === "boot_timeout" || error.code === "operation_timeout";
const lastLines = (text: string): string => text.split("\n").slice(-10).join("\n");
