import type { ResizeVm, Vm } from "../contract/index.ts";
import { mustFit } from "./capacity.ts";
import { type Context, mustFind } from "./context.ts";
import { operate } from "./operate.ts";
import { mustAllow, record } from "./states.ts";

/**
 * Gives a VM that does not run another size; its next start has it. Name, address, labels and policy stay.
 * @throws HypeError vm_not_found | vm_state_conflict | insufficient_memory | insufficient_cpu
 */
export async function resize(ctx: Context, ref: string, size: ResizeVm): Promise<Vm> {
  const vm = mustFind(ctx, ref);
  mustAllow(vm, "resize");
  return await operate(ctx, vm, { yieldsTo: [] }, async () => {
    const present = mustFind(ctx, vm.id);
    mustAllow(present, "resize");
    const { cpu_cores = present.cpu_cores, memory_mb = present.memory_mb } = size;
    mustFit(ctx, { cpu_cores, memory_mb });
    return record(ctx, vm.id, { cpu_cores, memory_mb }, "VM_RESIZED", { cpu_cores, memory_mb });
  });
}
