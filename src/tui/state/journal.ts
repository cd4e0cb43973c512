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

/** Goes to the VM of the event that is chosen; stays where that VM is gone. */
export function jumpToVm(state: State): boolean {
  const event = journalRows(state)[state.journal.cursor];
  if (!event || !state.vms.has(event.vm_id)) return false;
  state.fleet.cursor = event.vm_id;
  state.screen = { name: "vm", vmId: event.vm_id, pane: "events" };
  return true;
}
