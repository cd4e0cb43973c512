import type { VmStatus } from "../../contract/index.ts";
import { choicesOf } from "../overlays/create/choices.ts";
import type { OverlayKind } from "../state/overlays.ts";
import { type Pane, PANES, type ScreenName, type State } from "../state/state.ts";
import { chosen } from "../state/fleet.ts";

/** Everything a key, a click or the palette can do. */
export type ActionName =
  | "quit"
  | "help"
  | "palette"
  | "close"
  | "own"
  | "filter"
  | "next"
  | "previous"
  | "page-down"
  | "page-up"
  | "first"
  | "last"
  | "mark"
  | "mark-all"
  | "enter"
  | "back"
  | "sort"
  | "sort-reverse"
  | "group"
  | "create"
  | "start"
  | "stop"
  | "restart"
  | "pause"
  | "resume"
  | "delete"
  | `pane-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`
  | "open-url"
  | "screenshot"
  | "copy"
  | "live-link"
  | "shell"
  | "undo"
  | "next-vm"
  | "previous-vm"
  | "search"
  | "search-next"
  | "search-previous"
  | "follow"
  | "wrap"
  | "serve"
  | "retry"
  | "other-server"
  | "servers"
  | "theme"
  | "columns"
  | "bell"
  | "suspend"
  | "log-source"
  | "observe"
  | "enlarge"
  | "next-pane"
  | "previous-pane"
  | "events"
  | "ask-key"
  | "dismiss"
  | "redraw";

/** Where a binding holds: a screen, an overlay, all screens while nothing lies over them, or everywhere. */
export type Where = ScreenName | OverlayKind | "offline" | "screens" | "everywhere";

export type Binding = {
  where: readonly Where[];
  /** `j`, `G`, `ctrl+p`, `down`, `pagedown`, `escape`, `return`, `space`, `f5`: capitals mean shift. */
  keys: readonly string[];
  /** `own`: the overlay does it itself. */
  action: ActionName;
  help: string;
  /** Shown in the footer, in this word; the others only in the help. */
  footer?: string;
  /** The footer shows it only then. */
  footerWhen?: (state: State) => boolean;
  /** The footer shows it where there is room beside all others. */
  footerExtra?: true;
  /** Holds only then: neither the key nor its mention is there otherwise. */
  when?: (state: State) => boolean;
};

const LISTS = ["fleet", "vm", "events"] as const;

/** While one of these panes of a VM is shown. */
const pane =
  (...panes: Pane[]) =>
  ({ screen }: State): boolean =>
    screen.name === "vm" && panes.includes(screen.pane);
const inLogs = pane("console", "logs");
const hasVm = (state: State): boolean => chosen(state) !== null;
/** While the chosen VM is in one of these states. */
const is =
  (...statuses: VmStatus[]) =>
  (state: State): boolean =>
    statuses.includes(chosen(state)?.status as VmStatus);
const overlay =
  <K extends OverlayKind>(kind: K, holds: (own: Extract<State["overlay"], { kind: K }>) => boolean) =>
  ({ overlay: own }: State): boolean =>
    own?.kind === kind && holds(own as Extract<State["overlay"], { kind: K }>);
const asksForWord = overlay("confirm", ({ typed }) => typed !== null);
const asksYesOrNo = overlay("confirm", ({ typed }) => typed === null);
const fillsIn = overlay("create", ({ made, isSent }) => made === null && !isSent);

/** What is done to the chosen VM, told in the footer while it can be. */
const onVm = (
  key: string,
  action: ActionName,
  help: string,
  footer: string,
  footerWhen: (state: State) => boolean,
): Binding => ({ where: ["fleet", "vm"], keys: [key], action, help, footer, footerExtra: true, footerWhen });

/** Every key of the program. Help, footer and the keys themselves are made from it. The first match counts. */
export const BINDINGS: readonly Binding[] = [
  {
    where: ["offline"],
    keys: ["s"],
    action: "serve",
    help: "Start `hype serve` here, in the background",
    footer: "serve",
  },
  { where: ["offline"], keys: ["o"], action: "other-server", help: "Another address", footer: "address" },
  { where: ["offline"], keys: ["r"], action: "retry", help: "Try again now", footer: "retry" },
  { where: ["offline"], keys: ["q", "escape"], action: "quit", help: "Leave", footer: "quit" },
  { where: LISTS, keys: ["j", "down"], action: "next", help: "Next line" },
  { where: LISTS, keys: ["k", "up"], action: "previous", help: "Line before" },
  { where: LISTS, keys: ["ctrl+d", "pagedown"], action: "page-down", help: "A page down" },
  { where: LISTS, keys: ["ctrl+u", "pageup"], action: "page-up", help: "A page up" },
  { where: LISTS, keys: ["g", "home"], action: "first", help: "First line" },
  { where: LISTS, keys: ["G", "end"], action: "last", help: "Last line" },
  {
    where: ["fleet"],
    keys: ["return", "l", "right"],
    action: "enter",
    help: "Look at this VM",
    footer: "open",
    when: hasVm,
  },
  { where: ["fleet"], keys: ["c"], action: "create", help: "Create a VM", footer: "create" },
  { where: ["fleet", "events"], keys: ["/"], action: "filter", help: "Filter as you type", footer: "filter" },
  { where: ["events"], keys: ["return"], action: "enter", help: "Go to the VM of this event", footer: "VM" },
  {
    where: ["fleet"],
    keys: ["space"],
    action: "mark",
    help: "Mark this VM, for actions on several",
    footer: "mark",
    when: hasVm,
  },
  { where: ["fleet"], keys: ["a"], action: "mark-all", help: "Mark all that are shown, or none" },
  { where: ["fleet"], keys: ["o"], action: "sort", help: "Sort by the next column" },
  { where: ["fleet"], keys: ["O"], action: "sort-reverse", help: "Turn the order round" },
  { where: ["fleet"], keys: ["b"], action: "group", help: "Group by the next label" },
  { where: ["fleet"], keys: ["e"], action: "events", help: "Events of all VMs", footer: "events" },
  { where: ["vm"], keys: ["tab", "l", "right"], action: "next-pane", help: "Next pane", footer: "pane" },
  { where: ["vm"], keys: ["shift+tab", "h", "left"], action: "previous-pane", help: "Pane before" },
  {
    where: ["vm"],
    keys: ["/"],
    action: "search",
    help: "Search in a log, and mark what is found",
    footer: "search",
    when: inLogs,
  },
  {
    where: ["vm"],
    keys: ["n"],
    action: "search-next",
    help: "Next line of a log that holds what is searched",
    footer: "next",
    when: (state) => inLogs(state) && state.detail?.scroll.search !== "",
  },
  {
    where: ["vm"],
    keys: ["N"],
    action: "search-previous",
    help: "Line before that holds it",
    when: (state) => inLogs(state) && state.detail?.scroll.search !== "",
  },
  {
    where: ["vm"],
    keys: ["f"],
    action: "follow",
    help: "Stay at the end of a log, or stop",
    footer: "follow",
    when: inLogs,
  },
  {
    where: ["vm"],
    keys: ["w"],
    action: "wrap",
    help: "Wrap long lines of a log, or not",
    footer: "wrap",
    when: inLogs,
  },
  {
    where: ["vm"],
    keys: ["o"],
    action: "log-source",
    help: "Logs: the agent's or the VMM's",
    footer: "other log",
    when: pane("logs"),
  },
  {
    where: ["vm"],
    keys: ["z"],
    action: "enlarge",
    help: "The page as large as the screen, and back",
    footer: "zoom",
    when: pane("overview", "tabs"),
  },
  {
    where: ["vm"],
    keys: ["r"],
    action: "observe",
    help: "Record requests, console and exceptions of this browser",
    footer: "record",
    when: pane("network"),
  },
  onVm("s", "start", "Start", "start", is("stopped", "crashed")),
  onVm("S", "stop", "Stop", "stop", is("running", "paused", "starting")),
  onVm("R", "restart", "Restart", "restart", is("running")),
  onVm("p", "pause", "Pause", "pause", is("running")),
  onVm("P", "resume", "Resume", "resume", is("paused")),
  {
    where: ["fleet", "vm"],
    keys: ["D", "delete"],
    action: "delete",
    help: "Delete",
    footer: "delete",
    when: hasVm,
  },
  { where: ["fleet", "vm"], keys: ["u"], action: "undo", help: "Undo the last start, stop, pause or resume" },
  {
    where: ["fleet", "vm"],
    keys: ["v"],
    action: "open-url",
    help: "Open a page in this VM",
    footer: "visit",
    when: hasVm,
  },
  onVm("t", "screenshot", "Save a screenshot", "screenshot", is("running")),
  onVm("y", "copy", "Copy address, CDP URL or a command", "copy", hasVm),
  onVm("L", "live-link", "Make and copy a link to the live view", "live link", is("running")),
  {
    where: ["fleet", "vm"],
    keys: ["!"],
    action: "shell",
    help: "A shell in this VM; ctrl-] leaves it",
    footer: "shell",
    footerWhen: pane("console"),
  },
  ...PANES.map((name, at): Binding => ({
    where: ["vm"],
    keys: [String(at + 1)],
    action: `pane-${(at + 1) as 1}`,
    help: `Pane ${name}`,
  })),
  { where: ["vm"], keys: ["]"], action: "next-vm", help: "Next VM" },
  { where: ["vm"], keys: ["["], action: "previous-vm", help: "VM before" },
  { where: ["vm", "events"], keys: ["escape", "q"], action: "back", help: "Back", footer: "back" },
  { where: ["fleet"], keys: ["C"], action: "columns", help: "Which columns are shown" },
  { where: ["fleet"], keys: ["T"], action: "theme", help: "Next theme: auto, dark, light, contrast, none" },
  { where: ["fleet"], keys: ["B"], action: "bell", help: "Ring when a VM crashes, or not" },
  { where: ["screens"], keys: ["ctrl+o"], action: "servers", help: "Another server" },

  { where: ["create"], keys: ["return"], action: "own", help: "Create", footer: "create", when: fillsIn },
  { where: ["create"], keys: ["tab"], action: "own", help: "Next field", footer: "next field", when: fillsIn },
  { where: ["create"], keys: ["shift+tab"], action: "own", help: "Field before", when: fillsIn },
  {
    where: ["create"],
    keys: ["down", "up"],
    action: "own",
    help: "Pick from the list, or another field",
    footer: "pick",
    when: overlay("create", (own) => own.made === null && !own.isSent && choicesOf(own).length > 0),
  },
  {
    where: ["create"],
    keys: ["return"],
    action: "own",
    help: "Look at the new VM",
    footer: "open",
    when: overlay("create", ({ made }) => made !== null),
  },
  { where: ["confirm"], keys: ["y"], action: "own", help: "Yes", footer: "yes", when: asksYesOrNo },
  { where: ["confirm"], keys: ["n", "return"], action: "own", help: "No", footer: "no", when: asksYesOrNo },
  { where: ["confirm"], keys: ["return"], action: "own", help: "Do it", footer: "do it", when: asksForWord },
  { where: ["prompt"], keys: ["return"], action: "own", help: "Go on", footer: "go on" },
  { where: ["menu"], keys: ["return"], action: "own", help: "Choose", footer: "choose" },
  { where: ["menu"], keys: ["down", "up"], action: "own", help: "Another line", footer: "move" },
  { where: ["palette"], keys: ["return"], action: "own", help: "Run the command", footer: "run" },
  { where: ["palette"], keys: ["tab"], action: "own", help: "Complete", footer: "complete" },
  { where: ["palette"], keys: ["up"], action: "own", help: "What was run before", footer: "history" },
  {
    where: ["output"],
    keys: ["ctrl+c"],
    action: "own",
    help: "End the command",
    footer: "end the command",
    when: overlay("output", ({ code }) => code === null),
  },
  {
    where: ["output"],
    keys: ["return", "q", "ctrl+c"],
    action: "close",
    help: "Close",
    footer: "close",
    when: overlay("output", ({ code }) => code !== null),
  },
  { where: ["output"], keys: ["down", "up"], action: "own", help: "Scroll", footer: "scroll" },
  { where: ["help"], keys: ["down", "up"], action: "own", help: "Scroll", footer: "scroll" },
  { where: ["filter", "search"], keys: ["return"], action: "own", help: "Keep it", footer: "keep" },
  { where: ["filter", "search"], keys: ["escape"], action: "close", help: "Clear it", footer: "clear" },
  {
    where: ["help", "confirm", "prompt", "menu", "create", "palette", "output"],
    keys: ["escape"],
    action: "close",
    help: "Close",
    footer: "close",
  },

  {
    where: ["screens"],
    keys: ["K"],
    action: "ask-key",
    help: "Give the server another key",
    footer: "key",
    when: ({ connection }) => connection.status === "refused",
  },
  { where: ["screens"], keys: ["x"], action: "dismiss", help: "Take messages away" },
  { where: ["screens"], keys: [":", "ctrl+p"], action: "palette", help: "Any command of hype", footer: "command" },
  { where: ["screens"], keys: ["?"], action: "help", help: "All keys of this view", footer: "help" },
  { where: ["fleet"], keys: ["q"], action: "quit", help: "Leave; VMs run on", footer: "quit" },
  { where: ["everywhere"], keys: ["ctrl+z"], action: "suspend", help: "Back to the shell; fg returns" },
  { where: ["everywhere"], keys: ["ctrl+l"], action: "redraw", help: "Draw the screen anew" },
  { where: ["everywhere"], keys: ["ctrl+c"], action: "quit", help: "Leave; VMs run on" },
];
