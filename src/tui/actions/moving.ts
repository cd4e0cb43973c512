import { jumpToVm, journalRows } from "../state/journal.ts";
import { fleetRows, moveCursor } from "../state/fleet.ts";
import { PANES, type State } from "../state/state.ts";
import { type Action, inState } from "./context.ts";

export const PAGE_ROWS = 10;
export const ALL_ROWS = 1_000_000;
/** About a screen of a log: that close to its end it is followed again. */
const LOG_ROWS = 20;

/** Moves the cursor of the fleet, or scrolls what else is on the screen. */
export const step = (by: number) =>
  inState((state) => {
    if (state.screen.name === "fleet") moveCursor(state, fleetRows(state), by);
    else if (state.screen.name === "events")
      state.journal.cursor = within(state.journal.cursor + by, journalRows(state).length - 1);
    else scrollDetail(state, by);
  });

export const movePane = (by: number) =>
  inState((state) => {
    const { screen } = state;
    if (screen.name !== "vm") return;
    const next = PANES[(PANES.indexOf(screen.pane) + by + PANES.length) % PANES.length] ?? "overview";
    state.screen = { ...screen, pane: next };
  });

export const openPane = (at: number) =>
  inState((state) => {
    const pane = PANES[at];
    if (state.screen.name === "vm" && pane) state.screen = { ...state.screen, pane };
  });

export const otherVm = (by: number) =>
  inState((state) => {
    const { screen, fleet } = state;
    if (screen.name !== "vm") return;
    fleet.cursor = screen.vmId;
    moveCursor(state, fleetRows(state), by);
    if (fleet.cursor !== null) state.screen = { ...screen, vmId: fleet.cursor };
  });

/** Into what is chosen: a VM of the fleet, or the VM of an event. */
export const enter: Action = ({ store }) =>
  store.update((state) => {
    const { screen, fleet } = state;
    if (screen.name === "fleet" && fleet.cursor !== null)
      state.screen = { name: "vm", vmId: fleet.cursor, pane: "overview" };
    if (screen.name === "events" && !jumpToVm(state)) store.toast("info", "that VM is gone");
  });

const within = (value: number, most: number): number => Math.max(0, Math.min(value, most));

/** Logs begin at their end and stop to follow when they are scrolled up; everything else begins at its top. */
function scrollDetail({ detail }: State, by: number): void {
  if (!detail) return;
  const { scroll, lines } = detail;
  if (!lines) {
    detail.scroll = { ...scroll, top: within(scroll.top + by, ALL_ROWS) };
    return;
  }
  const count = lines.all().length;
  const from = scroll.follow ? count - LOG_ROWS : scroll.top;
  const top = within(from + by, Math.max(0, count - 1));
  detail.scroll = { ...scroll, top, follow: by > 0 && top >= count - LOG_ROWS };
}
