import type { OverlayKind } from "../state/overlays.ts";
import { PANES, type ScreenName } from "../state/state.ts";

/** Everything a key, a click or the palette can do. */
export type ActionName =
  | "quit"
  | "help"
  | "palette"
  | "close"
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
  | "undo"
  | "next-vm"
  | "previous-vm"
  | "search"
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
  | "dismiss"
  | "redraw";

/** Where a binding holds: a screen, an overlay, or everywhere. */
export type Where = ScreenName | OverlayKind | "offline" | "everywhere";

export type Binding = {
  where: readonly Where[];
  /** `j`, `G`, `ctrl+p`, `down`, `pagedown`, `escape`, `return`, `space`, `f5`: capitals mean shift. */
  keys: readonly string[];
  action: ActionName;
  help: string;
  /** Shown in the footer, in this word; the others only in the help. */
  footer?: string;
};

const LISTS = ["fleet", "vm", "events"] as const;

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
  { where: ["fleet"], keys: ["return", "l", "right"], action: "enter", help: "Look at this VM", footer: "open" },
  { where: ["fleet"], keys: ["c"], action: "create", help: "Create a VM", footer: "create" },
  { where: ["fleet", "events"], keys: ["/"], action: "filter", help: "Filter as you type", footer: "filter" },
  { where: ["events"], keys: ["return"], action: "enter", help: "Go to the VM of this event", footer: "VM" },
  { where: ["fleet"], keys: ["space"], action: "mark", help: "Mark this VM, for actions on several", footer: "mark" },
  { where: ["fleet"], keys: ["a"], action: "mark-all", help: "Mark all that are shown, or none" },
  { where: ["fleet"], keys: ["o"], action: "sort", help: "Sort by the next column" },
  { where: ["fleet"], keys: ["O"], action: "sort-reverse", help: "Turn the order round" },
  { where: ["fleet"], keys: ["b"], action: "group", help: "Group by the next label" },
  { where: ["fleet"], keys: ["e"], action: "events", help: "Events of all VMs", footer: "events" },
  { where: ["fleet", "vm"], keys: ["s"], action: "start", help: "Start" },
  { where: ["fleet", "vm"], keys: ["S"], action: "stop", help: "Stop" },
  { where: ["fleet", "vm"], keys: ["R"], action: "restart", help: "Restart" },
  { where: ["fleet", "vm"], keys: ["p"], action: "pause", help: "Pause" },
  { where: ["fleet", "vm"], keys: ["P"], action: "resume", help: "Resume" },
  { where: ["fleet", "vm"], keys: ["D", "delete"], action: "delete", help: "Delete", footer: "delete" },
  { where: ["fleet", "vm"], keys: ["u"], action: "undo", help: "Undo the last start, stop, pause or resume" },
  { where: ["fleet", "vm"], keys: ["v"], action: "open-url", help: "Open a page in this VM", footer: "visit" },
  { where: ["fleet", "vm"], keys: ["t"], action: "screenshot", help: "Save a screenshot" },
  { where: ["fleet", "vm"], keys: ["y"], action: "copy", help: "Copy address, CDP URL or a command" },
  { where: ["fleet", "vm"], keys: ["L"], action: "live-link", help: "Make and copy a link to the live view" },
  { where: ["vm"], keys: ["tab", "l", "right"], action: "next-pane", help: "Next pane", footer: "pane" },
  ...PANES.map((pane, at): Binding => ({
    where: ["vm"],
    keys: [String(at + 1)],
    action: `pane-${(at + 1) as 1}`,
    help: `Pane ${pane}`,
  })),
  { where: ["vm"], keys: ["]"], action: "next-vm", help: "Next VM" },
  { where: ["vm"], keys: ["["], action: "previous-vm", help: "VM before" },
  { where: ["vm"], keys: ["z"], action: "enlarge", help: "The page as large as the screen, and back", footer: "zoom" },
  { where: ["vm"], keys: ["o"], action: "log-source", help: "Logs: the agent's or the VMM's" },
  { where: ["vm"], keys: ["r"], action: "observe", help: "Record requests, console and exceptions of this browser" },
  { where: ["vm"], keys: ["/"], action: "search", help: "Mark lines of a log that hold some text" },
  { where: ["vm"], keys: ["f"], action: "follow", help: "Stay at the end of a log, or stop" },
  { where: ["vm"], keys: ["w"], action: "wrap", help: "Wrap long lines of a log" },
  { where: ["vm"], keys: ["shift+tab", "h", "left"], action: "previous-pane", help: "Pane before" },
  { where: ["vm", "events"], keys: ["escape", "q"], action: "back", help: "Back", footer: "back" },
  {
    where: ["help", "confirm", "filter", "search", "prompt", "menu", "create", "palette", "output"],
    keys: ["escape"],
    action: "close",
    help: "Close",
  },
  { where: ["fleet"], keys: ["C"], action: "columns", help: "Which columns are shown" },
  { where: ["fleet"], keys: ["T"], action: "theme", help: "Next theme: auto, dark, light, contrast, none" },
  { where: ["fleet"], keys: ["B"], action: "bell", help: "Ring when a VM crashes, or not" },
  { where: ["fleet"], keys: ["ctrl+o"], action: "servers", help: "Another server" },
  { where: ["everywhere"], keys: ["ctrl+z"], action: "suspend", help: "Back to the shell; fg returns" },
  { where: ["everywhere"], keys: ["x"], action: "dismiss", help: "Take messages away" },
  { where: ["everywhere"], keys: ["ctrl+l"], action: "redraw", help: "Draw the screen anew" },
  { where: ["everywhere"], keys: [":", "ctrl+p"], action: "palette", help: "Any command of hype", footer: "command" },
  { where: ["everywhere"], keys: ["?"], action: "help", help: "All keys of this view", footer: "help" },
  { where: ["fleet"], keys: ["q", "ctrl+c"], action: "quit", help: "Leave; VMs run on", footer: "quit" },
  { where: ["everywhere"], keys: ["ctrl+c"], action: "quit", help: "Leave; VMs run on" },
];
