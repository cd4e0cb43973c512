import { messageOf } from "../../contract/index.ts";
import { EMPTY, lineOf } from "../canvas/line-editor.ts";
import type { ActionName } from "../keys/bindings.ts";
import { whereOf } from "../keys/match.ts";
import { setFilter } from "../overlays/filter.ts";
import { emptyPalette } from "../overlays/palette.ts";
import { chosen, fleetRows, moveCursor } from "../state/fleet.ts";
import type { SortField } from "../state/state.ts";
import { askForKey, askForServer, chooseColumns, chooseServer, nextTheme, toggleBell } from "./connecting.ts";
import { type Action, inState } from "./context.ts";
import { ALL_ROWS, enter, isMeasured, movePane, openPane, otherVm, PAGE_ROWS, step, stepFound } from "./moving.ts";
import { copyMenu, deleteTargets, onChosen, onTargets, openCreateForm, openShell, openUrl } from "./vms.ts";

const SORTS: readonly SortField[] = ["name", "status", "age", "cpu", "memory", "page"];

/** Every action by its name: what keys, clicks and the palette call. */
export const ACTIONS: Record<ActionName, Action> = {
  quit: ({ quit }) => quit(),
  redraw: ({ redraw }) => redraw(),
  suspend: ({ suspend }) => suspend(),
  retry: ({ store, connectTo }) => connectTo({ server: store.state.connection.server, key: null }),
  serve: ({ store, serve, connectTo }) => {
    store.toast("info", "hype serve starts …");
    void serve().then(
      ({ server, told }) => {
        connectTo({ server, key: null });
        store.toast("info", told, true);
      },
      (thrown: unknown) => store.toast("bad", messageOf(thrown), true),
    );
  },
  "other-server": askForServer,
  servers: chooseServer,
  theme: nextTheme,
  columns: chooseColumns,
  bell: toggleBell,
  own: () => {},
  help: inState((state) => void (state.overlay = { kind: "help", of: whereOf(state), line: EMPTY, top: 0, rows: 0 })),
  palette: inState((state) => void (state.overlay = emptyPalette())),
  create: openCreateForm,
  "open-url": openUrl,
  screenshot: onChosen((vm, { operations, savePicture }) => void operations.screenshot(vm, savePicture)),
  "live-link": onChosen((vm, { operations, copy }) => void operations.liveLink(vm, copy)),
  shell: openShell,
  copy: copyMenu,
  undo: ({ operations }) => void operations.undo(),
  close: inState((state) => {
    if (state.overlay?.kind === "filter") setFilter(state, "");
    if (state.overlay?.kind === "search" && state.detail)
      state.detail.scroll = { ...state.detail.scroll, search: "", at: -1 };
    state.overlay = null;
  }),
  filter: inState((state) => {
    const { screen, fleet, journal } = state;
    const now = screen.name === "events" ? journal.filter : fleet.filter;
    state.overlay = { kind: "filter", line: lineOf(now) };
  }),
  next: step(1),
  previous: step(-1),
  "page-down": step(PAGE_ROWS),
  "page-up": step(-PAGE_ROWS),
  first: step(-ALL_ROWS),
  last: step(ALL_ROWS),
  mark: inState((state) => {
    const { marked } = state.fleet;
    const vm = chosen(state);
    if (!vm) return;
    if (!marked.delete(vm.id)) marked.add(vm.id);
    moveCursor(state, fleetRows(state), 1);
  }),
  "mark-all": inState((state) => {
    const { fleet } = state;
    const shown = fleetRows(state).flatMap((row) => (row.kind === "vm" ? [row.vm.id] : []));
    fleet.marked = new Set(shown.every((id) => fleet.marked.has(id)) ? [] : shown);
  }),
  enter,
  back: inState((state) => {
    if (state.screen.name === "vm" && state.detail?.enlarged) state.detail.enlarged = false;
    else state.screen = { name: "fleet" };
  }),
  sort: inState(({ settings }) => {
    const next = SORTS[(SORTS.indexOf(settings.sort.field) + 1) % SORTS.length] ?? "name";
    settings.sort = { field: next, descending: isMeasured(next) };
  }),
  "sort-reverse": inState(({ settings }) => void (settings.sort.descending = !settings.sort.descending)),
  group: inState((state) => {
    const keys = [...new Set([...state.vms.values()].flatMap(({ labels }) => Object.keys(labels)))].toSorted();
    const at = keys.indexOf(state.settings.groupBy ?? "");
    state.settings.groupBy = keys[at + 1] ?? null;
  }),
  start: onTargets({ verb: "Start", past: "started", from: ["stopped", "crashed"] }, ({ start }) => start),
  stop: onTargets(
    { verb: "Stop", past: "stopped", from: ["running", "paused", "starting"], asks: true },
    ({ stop }) => stop,
  ),
  restart: onTargets(
    { verb: "Restart", past: "restarted", from: ["running", "paused", "stopped", "crashed"], asks: true },
    ({ restart }) => restart,
  ),
  pause: onTargets({ verb: "Pause", past: "paused", from: ["running"] }, ({ pause }) => pause),
  resume: onTargets({ verb: "Resume", past: "resumed", from: ["paused"] }, ({ resume }) => resume),
  delete: deleteTargets,
  "next-pane": movePane(1),
  "previous-pane": movePane(-1),
  "pane-1": openPane(0),
  "pane-2": openPane(1),
  "pane-3": openPane(2),
  "pane-4": openPane(3),
  "pane-5": openPane(4),
  "pane-6": openPane(5),
  "pane-7": openPane(6),
  "pane-8": openPane(7),
  "next-vm": otherVm(1),
  "previous-vm": otherVm(-1),
  search: inState((state) => {
    if (state.detail?.lines) state.overlay = { kind: "search", line: lineOf(state.detail.scroll.search) };
  }),
  "search-next": stepFound(1),
  "search-previous": stepFound(-1),
  follow: inState(({ detail }) => {
    if (detail?.lines) detail.scroll = { ...detail.scroll, follow: !detail.scroll.follow };
  }),
  wrap: inState(({ detail }) => {
    if (detail) detail.scroll = { ...detail.scroll, wrap: !detail.scroll.wrap };
  }),
  "log-source": inState(({ detail }) => {
    if (detail) detail.logSource = detail.logSource === "agent" ? "vmm" : "agent";
  }),
  observe: onChosen((vm, { operations }) => void operations.observe(vm)),
  enlarge: inState(({ detail }) => {
    if (detail) detail.enlarged = !detail.enlarged;
  }),
  events: inState((state) => {
    state.screen = { name: "events" };
    state.journal = { seq: null, top: 0, filter: "" };
  }),
  "ask-key": askForKey,
  dismiss: ({ store }) => store.dismiss(),
};
