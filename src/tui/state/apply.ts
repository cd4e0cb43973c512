import type { Vm, VmEvent } from "../../contract/index.ts";
import { fleetRows } from "./fleet.ts";
import { MOST_EVENTS, type State } from "./state.ts";

/** All VMs as the server lists them. */
export function applyList(state: State, vms: readonly Vm[]): void {
  const kept = new Map(vms.map((vm) => [vm.id, vm]));
  const { cursor } = state.fleet;
  const before = cursor !== null && !kept.has(cursor) ? orderBefore(state) : [];
  state.vms = kept;
  tidy(state, before);
}

/** One VM as it is now; null: it is gone. */
export function applyVm(state: State, id: string, vm: Vm | null): void {
  const before = vm === null && state.fleet.cursor === id ? orderBefore(state) : [];
  if (vm) state.vms.set(id, vm);
  else state.vms.delete(id);
  tidy(state, before);
}

export function applyEvents(state: State, events: readonly VmEvent[]): void {
  state.events.push(...events);
  if (state.events.length > MOST_EVENTS) state.events.splice(0, state.events.length - MOST_EVENTS);
}

/** Ids in the order they stand in, while that still can be told. */
const orderBefore = (state: State): string[] =>
  fleetRows(state).flatMap((row) => (row.kind === "vm" ? [row.vm.id] : []));

/** Whatever named a VM that is gone names its neighbour, or nothing. */
function tidy(state: State, before: readonly string[]): void {
  const { vms, fleet } = state;
  for (const id of fleet.marked) if (!vms.has(id)) fleet.marked.delete(id);
  for (const kept of [state.busy, state.booting]) for (const id of kept.keys()) if (!vms.has(id)) kept.delete(id);
  if (fleet.cursor !== null && !vms.has(fleet.cursor)) {
    const at = before.indexOf(fleet.cursor);
    const next =
      before.slice(at + 1).find((id) => vms.has(id)) ?? before.slice(0, Math.max(0, at)).findLast((id) => vms.has(id));
    fleet.cursor = next ?? null;
  }
  fleet.cursor ??= fleetRows(state).flatMap((row) => (row.kind === "vm" ? [row.vm.id] : []))[0] ?? null;
  if (state.screen.name === "vm" && !vms.has(state.screen.vmId)) state.screen = { name: "fleet" };
}
