import type { Vm } from "../../contract/index.ts";
import type { SortField, State } from "./state.ts";

/** A line of the fleet: a VM, or the head of a group. */
export type FleetRow = { kind: "vm"; vm: Vm } | { kind: "group"; value: string; count: number };

let last: { state: State; version: number; rows: readonly FleetRow[] } | null = null;
/** {@link fleetRows} for who only looks: worked out once for each change of the state. Not to be used while it is being changed. */
export function shownRows(state: State): readonly FleetRow[] {
  if (last?.state !== state || last.version !== state.version)
    last = { state, version: state.version, rows: fleetRows(state) };
  return last.rows;
}

/** The VMs as they are shown: filtered, sorted, grouped. */
export function fleetRows(state: State): FleetRow[] {
  const { vms, fleet, settings } = state;
  const found = [...vms.values()].filter(matcher(fleet.filter, state));
  const order = comparer(settings.sort.field, state);
  const direction = settings.sort.descending ? -1 : 1;
  found.sort((a, b) => direction * order(a, b) || compareNames(a.name, b.name));
  const { groupBy } = settings;
  if (groupBy === null) return found.map((vm) => ({ kind: "vm", vm }));
  const groups = Map.groupBy(found, (vm) => vm.labels[groupBy] ?? "");
  return [...groups.keys()].toSorted().flatMap((value): FleetRow[] => {
    const members = groups.get(value) ?? [];
    return [{ kind: "group", value, count: members.length }, ...members.map((vm) => ({ kind: "vm" as const, vm }))];
  });
}

/** Every word must be found in the name, the status, a label, the address or the page. `key=value` means a label. */
function matcher(filter: string, { usage }: State): (vm: Vm) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (vm) => {
    const page = usage.get(vm.id)?.page;
    const labels = Object.entries(vm.labels).map(([key, value]) => `${key}=${value}`);
    const text = [vm.name, vm.status, vm.ip_address, ...labels, page?.title ?? "", page?.url ?? ""]
      .join("\n")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

/** Made once: `localeCompare` makes one for every comparison. Numbers in names count as numbers. */
const { compare: compareNames } = new Intl.Collator("en", { numeric: true });

/** What needs somebody's eyes comes first. */
const URGENCY = ["crashed", "stopping", "deleting", "creating", "starting", "running", "paused", "stopped"];

function comparer(field: SortField, { usage }: State): (a: Vm, b: Vm) => number {
  const last = (values: number[] | undefined) => values?.at(-1) ?? -1;
  const orders: Record<SortField, (a: Vm, b: Vm) => number> = {
    name: (a, b) => compareNames(a.name, b.name),
    status: (a, b) => URGENCY.indexOf(a.status) - URGENCY.indexOf(b.status),
    age: (a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0),
    cpu: (a, b) => last(usage.get(a.id)?.cpuPercent) - last(usage.get(b.id)?.cpuPercent),
    memory: (a, b) => last(usage.get(a.id)?.memoryMb) - last(usage.get(b.id)?.memoryMb),
    page: (a, b) => compareNames(usage.get(a.id)?.page?.title ?? "", usage.get(b.id)?.page?.title ?? ""),
  };
  return orders[field];
}

/** Whether the filter lets it be seen: what is not seen is not acted on. */
export const isShown = (state: State, vm: Vm): boolean => matcher(state.fleet.filter, state)(vm);

/** The VM that is chosen; null when there is none. */
export function chosen(state: State): Vm | null {
  const { screen, fleet, vms } = state;
  if (screen.name === "vm") return vms.get(screen.vmId) ?? null;
  const vm = vms.get(fleet.cursor ?? "");
  return vm && isShown(state, vm) ? vm : null;
}

/** What an action is for: those of the marked VMs that are shown, else the chosen one. */
export function targets(state: State): Vm[] {
  const marked = state.screen.name === "fleet" ? shownMarked(state) : [];
  if (marked.length > 0) return marked;
  const vm = chosen(state);
  return vm ? [vm] : [];
}

export const shownMarked = (state: State): Vm[] =>
  [...state.fleet.marked].flatMap((id) => state.vms.get(id) ?? []).filter((vm) => isShown(state, vm));

/** Moves the choice by so many VMs, heads of groups skipped; stays at the ends. */
export function moveCursor(state: State, rows: readonly FleetRow[], by: number): void {
  const ids = rows.flatMap((row) => (row.kind === "vm" ? [row.vm.id] : []));
  if (ids.length === 0) {
    state.fleet.cursor = null;
    return;
  }
  const at = ids.indexOf(state.fleet.cursor ?? "");
  const next = at < 0 ? 0 : Math.min(Math.max(0, at + by), ids.length - 1);
  state.fleet.cursor = ids[next] ?? null;
}
