import type { VmEvent } from "../../contract/index.ts";
import type { State } from "./state.ts";

/** Events as the screen of all events shows them: newest first, every word of the filter in type, VM or data. */
export function journalRows({ events, journal }: State): VmEvent[] {
  const words = journal.filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return events.toReversed();
  return events
    .filter(({ type, vm_name, data }) => {
      const text = `${type} ${vm_name} ${JSON.stringify(data)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toReversed();
}

/** Index of the event that is chosen: it stays chosen when others come. One that is gone hands over to the newest. */
export function cursorIn({ journal }: State, rows: readonly VmEvent[]): number {
  return journal.seq === null
    ? 0
    : Math.max(
        0,
        rows.findIndex(({ seq }) => seq === journal.seq),
      );
}

/** Chooses the event so many rows further; at the top: whichever is newest. */
export function stepInJournal(state: State, by: number): void {
  const rows = journalRows(state);
  const at = Math.max(0, Math.min(cursorIn(state, rows) + by, rows.length - 1));
  state.journal.seq = at === 0 ? null : (rows[at]?.seq ?? null);
}

export function chosenEvent(state: State): VmEvent | undefined {
  const rows = journalRows(state);
  return rows[cursorIn(state, rows)];
}

/** Goes to the VM of the event that is chosen; stays where that VM is gone. */
export function jumpToVm(state: State): boolean {
  const event = chosenEvent(state);
  if (!event || !state.vms.has(event.vm_id)) return false;
  state.fleet.cursor = event.vm_id;
  state.screen = { name: "vm", vmId: event.vm_id, pane: "events" };
  return true;
}
