import { type CreateVm, HypeError, messageOf, type Vm } from "../contract/index.ts";
import { awaitUsable, bootTimes } from "./boot.ts";
import { mustFit } from "./capacity.ts";
import { cancelReason, type Context, mustFind, now, throwIfCancelled } from "./context.ts";
import { halt } from "./crash.ts";
import { operate } from "./operate.ts";
import { discard } from "./release.ts";
import { DEFAULT_IMAGE, spawn } from "./spawn.ts";
import { admit, record, transition } from "./states.ts";
import type { OperationOptions } from "./types.ts";

/**
 * Makes a VM and boots it. Failed or cancelled before its VMM runs, it is undone: row, lease, files, processes.
 * Failed later, it is kept as `crashed` for a look at its console.
 * @throws HypeError vm_name_taken | profile_* | insufficient_* | lease_pool_empty | image_* | network_* | hypervisor_* | boot_* | cancelled
 */
export async function create(ctx: Context, input: CreateVm, options: OperationOptions): Promise<Vm> {
  throwIfCancelled(ctx.closing.signal);
  if (options.signal) throwIfCancelled(options.signal);
  if (input.egress) ctx.network.mustPolice(input.egress);
  if (input.profile !== null) ctx.profiles.mustBeUsable(input.profile);
  const startedAtMs = ctx.clock();
  const created_at = now(ctx);
  const vm = admit(
    ctx,
    {
      ...blank,
      id: Bun.randomUUIDv7(),
      name: input.name,
      cpu_cores: input.cpu_cores,
      memory_mb: input.memory_mb,
      kernel_cmdline: input.kernel_cmdline,
      image: input.image ?? DEFAULT_IMAGE,
      profile: input.profile,
      labels: input.labels,
      keep: input.keep,
      ttl_seconds: input.ttl_seconds,
      expires_at: input.ttl_seconds === null ? null : new Date(startedAtMs + input.ttl_seconds * 1000).toISOString(),
      created_at,
    },
    input.egress ?? ctx.network.defaultEgress,
    () => mustFit(ctx, input),
  );
  if (input.proxy) record(ctx, vm.id, { proxy: input.proxy });
  return await operate(ctx, vm, options, (signal, begun) => {
    begun(vm);
    return bringUp(ctx, vm, startedAtMs, signal);
  });
}

/** Columns of a VM that never started. */
const blank = {
  status_reason: null,
  console_tail: null,
  generation: 1,
  endpoint: null,
  network: null,
  isolation: null,
  hypervisor: null,
  accelerator: null,
  pid: null,
  boot_ms: null,
  browser_restarts: 0,
  started_at: null,
} as const;

async function bringUp(ctx: Context, vm: Vm, startedAtMs: number, signal: AbortSignal): Promise<Vm> {
  try {
    const live = await spawn(ctx, vm, signal);
    return await awaitUsable(ctx, live, bootTimes(ctx, startedAtMs), signal);
  } catch (thrown) {
    const error = signal.aborted ? cancelReason(signal) : thrown;
    const { status } = mustFind(ctx, vm.id);
    if (status === "crashed") throw error;
    if (status === "starting" && error instanceof HypeError) {
      if (error.code === "shutting_down") throw error; // it boots on; the next server takes it up
      if (error.details.by === "stop") {
        await halt(ctx, vm, "stopped while it was starting");
        throw error;
      }
    }
    await undo(ctx, vm, error);
    throw error;
  }
}

/** An undo that fails leaves the row, as `deleting`, for the next sweep; whoever waits for the VM learns why it does not come. */
async function undo(ctx: Context, vm: Vm, error: unknown): Promise<void> {
  const code = error instanceof HypeError ? error.code : "internal";
  const failed = (thrown: unknown) =>
    ctx.log.error(`${vm.name}: its creation could not be undone: ${messageOf(thrown)}`, { vm: vm.id, error: thrown });
  try {
    await discard(ctx, mustFind(ctx, vm.id), messageOf(error), code);
  } catch (thrown) {
    failed(thrown);
    try {
      transition(ctx, vm.id, "deleting", { data: { reason: messageOf(error), code } });
    } catch (worse) {
      failed(worse); // a full disk: the row stays as it is
    }
  }
}
