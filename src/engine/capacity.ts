import { HypeError, type VmStatus } from "../contract/index.ts";
import type { Context } from "./context.ts";

/** VMs in these states hold their memory, or are about to. */
export const HOLDING: ReadonlySet<VmStatus> = new Set(["creating", "starting", "running", "paused", "stopping"]);

/** Sum of `memory_mb` of the VMs that hold memory. */
export const memoryCommittedMb = (ctx: Context): number =>
  ctx.store.vms
    .totals()
    .filter((row) => HOLDING.has(row.status))
    .reduce((sum, row) => sum + row.memory_mb, 0);

/** Kept for the host itself: a tenth, at most 1 GB. Guests seldom touch all of theirs, which leaves room for the VMMs. */
export const reserveMb = (totalMb: number): number => Math.min(1024, Math.floor(totalMb / 10));

/**
 * Refuses what this host cannot hold. Memory is promised once: what all VMs may use at most must fit, so that no guest is
 * killed for another's growth. Cores are shared: one VM may have all of them, and so may every other.
 * @throws HypeError insufficient_memory | insufficient_cpu
 */
export function mustFit(ctx: Context, wanted: { cpu_cores: number; memory_mb: number }): void {
  const cores = ctx.host.cpuCores();
  if (wanted.cpu_cores > cores)
    throw new HypeError("insufficient_cpu", `${wanted.cpu_cores} CPU cores are asked for; this host has ${cores}`, {
      requested: wanted.cpu_cores,
      available: cores,
    });
  const totalMb = ctx.host.memoryTotalMb();
  const committedMb = memoryCommittedMb(ctx);
  const freeMb = Math.max(0, totalMb - reserveMb(totalMb) - committedMb);
  if (wanted.memory_mb > freeMb)
    throw new HypeError(
      "insufficient_memory",
      `${wanted.memory_mb} MB are asked for; ${freeMb} MB are free for VMs (host ${totalMb} MB, VMs ${committedMb} MB, kept for the host ${reserveMb(totalMb)} MB)`,
      { requested_mb: wanted.memory_mb, free_mb: freeMb, committed_mb: committedMb, total_mb: totalMb },
    );
}
