import { jumpToVm, stepInJournal } from "../state/journal.ts";
import { chosen, fleetRows, moveCursor } from "../state/fleet.ts";
import { type Pane, PANES, type SortField, type State } from "../state/state.ts";
import { rowsOf, scrolledTo } from "../state/detail.ts";
import { type Action, inState } from "./context.ts";

export const PAGE_ROWS = 10;
export const ALL_ROWS = 1_000_000;

/** Moves the cursor of the fleet, or scrolls what else is on the screen. */
export const step = (by: number) =>
  inState((state) => {
    if (state.screen.name === "fleet") moveCursor(state, fleetRows(state), by);
    else if (state.screen.name === "events") stepInJournal(state, by);
    else scrollDetail(state, by);
  });

export const movePane = (by: number) =>
  inState((state) => {
    const { screen } = state;
    if (screen.name !== "vm") return;
    showPane(state, PANES[(PANES.indexOf(screen.pane) + by + PANES.length) % PANES.length] ?? "overview");
  });

export const openPane = (at: number) =>
  inState((state) => {
    const pane = PANES[at];
    if (pane) showPane(state, pane);
  });

/** Another pane of the same VM, as large as panes are. */
export function showPane(state: State, pane: Pane): void {
  if (state.screen.name !== "vm") return;
  state.screen = { ...state.screen, pane };
  if (state.detail) state.detail.enlarged = false;
}

export const otherVm = (by: number) =>
  inState((state) => {
    const { screen, fleet } = state;
    if (screen.name !== "vm") return;
    fleet.cursor = screen.vmId;
    moveCursor(state, fleetRows(state), by);
    if (fleet.cursor !== null) state.screen = { ...screen, vmId: fleet.cursor };
  });

/** By this column; by it already: the other way round. */
export function sortBy({ settings }: State, field: SortField): void {
  const { sort } = settings;
  settings.sort =
    sort.field === field ? { field, descending: !sort.descending } : { field, descending: isMeasured(field) };
}

/** Of what is measured the most comes first. */
export const isMeasured = (field: SortField): boolean => field === "cpu" || field === "memory";

/** Into what is chosen: a VM of the fleet, or the VM of an event. */
export const enter: Action = ({ store }) =>
  store.update((state) => {
    const { screen } = state;
    const vm = chosen(state);
    if (screen.name === "fleet" && vm) state.screen = { name: "vm", vmId: vm.id, pane: "overview" };
    if (screen.name === "events" && !jumpToVm(state)) store.toast("info", "that VM is gone");
  });

const within = (value: number, most: number): number => Math.max(0, Math.min(value, most));

/** Logs begin at their end and stop to follow when they are scrolled up; everything else begins at its top. */
function scrollDetail({ detail }: State, by: number): void {
  if (!detail) return;
  const { scroll, lines, seen } = detail;
  if (!lines) return void (detail.scroll = { ...scroll, top: within(Math.min(scroll.top, seen.most) + by, seen.most) });
  const rows = rowsOf(detail);
  const from = scroll.follow ? rows.end : { line: scroll.top, row: scroll.row };
  const to = rows.moved(from, by);
  detail.scroll = scrolledTo(detail, to, by > 0 && to.line === rows.end.line && to.row === rows.end.row);
}

/** To the next line of a log that holds what is searched, or to the one before; round the ends. */
export const stepFound = (by: 1 | -1) =>
  inState(({ detail }) => {
    if (!detail?.lines || detail.scroll.search === "") return;
    const { scroll } = detail;
    const found = detail.lines.holding(scroll.search);
    const next = by > 0 ? found.find((at) => at > scroll.at) : found.findLast((at) => at < scroll.at);
    const at = next ?? found.at(by > 0 ? 0 : -1);
    if (at !== undefined) detail.scroll = { ...scrolledTo(detail, rowsOf(detail).around(at, scroll.search)), at };
  });
