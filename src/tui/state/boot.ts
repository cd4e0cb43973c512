import type { Vm } from "../../contract/index.ts";
import type { State } from "./state.ts";

/** A part of a boot: done after so many milliseconds, or not yet. */
export type BootStep = { text: string; doneMs: number | null };

/** What is reached with each phase of VM_BOOT_PROGRESS. `profile` is told when it begins: it is done with the boot. */
const PHASES = [
  ["spawned", "machine"],
  ["agent", "kernel and agent"],
  ["browser", "browser"],
] as const;

/** Whether this VM is on its way to `running`. */
export const isBooting = ({ status }: Vm): boolean => status === "creating" || status === "starting";

/** How far a boot is, by its events. @returns `startedMs`: epoch milliseconds */
export function bootSteps({ events }: State, vm: Vm): { startedMs: number; steps: BootStep[] } {
  const own = events.filter(({ vm_id }) => vm_id === vm.id);
  const at = own.findLastIndex(({ type }) => type === "VM_CREATED" || type === "VM_STARTING");
  // A new VM is created and then started: its boot began with the first of the two.
  const from = own[at - 1]?.type === "VM_CREATED" ? at - 1 : at;
  const startedMs = Date.parse(own[from]?.at ?? vm.updated_at);
  const reached = new Map<unknown, number>();
  for (const event of own.slice(from + 1))
    if (event.type === "VM_BOOT_PROGRESS") reached.set(event.data.phase, Math.max(0, Date.parse(event.at) - startedMs));
  const isUp = vm.status === "running";
  const steps = PHASES.map(([phase, text], index): BootStep => {
    // What came before a phase that was reached is done, even when its own event was not seen.
    const doneMs = [phase, ...PHASES.slice(index + 1).map(([later]) => later)]
      .map((one) => reached.get(one))
      .find((ms) => ms !== undefined);
    return { text, doneMs: doneMs ?? (isUp ? (vm.boot_ms ?? 0) : null) };
  });
  if (vm.profile !== null) steps.push({ text: `profile ${vm.profile}`, doneMs: isUp ? (vm.boot_ms ?? 0) : null });
  return { startedMs, steps };
}
