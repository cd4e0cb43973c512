import type { HypeError, SystemStatus, Vm, VmEvent } from "../../contract/index.ts";
import type { Detail } from "./detail.ts";
import type { Overlay } from "./overlays.ts";
import type { ThemeName } from "../theme/themes.ts";
import type { Usage } from "./usage.ts";

export type SortField = "name" | "status" | "age" | "cpu" | "memory" | "page";

/** What stays from one start to the next. */
export type Settings = {
  theme: ThemeName | "auto";
  sort: { field: SortField; descending: boolean };
  /** Label whose values make groups; null: no groups. */
  groupBy: string | null;
  /** Rings the terminal when a VM crashes. */
  bell: boolean;
  /** Ids of columns that are not wanted. */
  hiddenColumns: string[];
  /** Servers that answered, the last one first. */
  servers: string[];
};
export const DEFAULT_SETTINGS: Settings = {
  theme: "auto",
  sort: { field: "name", descending: false },
  groupBy: null,
  bell: false,
  hiddenColumns: [],
  servers: [],
};

export type Connection = {
  /** As the user named it: a URL. */
  readonly server: string;
  /** `refused`: the server is there, the key is not good enough. */
  status: "connecting" | "online" | "offline" | "refused";
  /** Since when it is so, epoch milliseconds; what is shown of a server that is offline is as old as that. */
  sinceMs: number;
  error: HypeError | null;
  /** It has answered since this session began: what is shown is real, if perhaps old. */
  loaded: boolean;
};

/** Panes of the view of one VM, in the order of their keys. */
export const PANES = [
  "overview",
  "tabs",
  "console",
  "logs",
  "network",
  "events",
  "artifacts",
  "configuration",
] as const;
export type Pane = (typeof PANES)[number];

export type Screen = { name: "fleet" } | { name: "vm"; vmId: string; pane: Pane } | { name: "events" };
export type ScreenName = Screen["name"];

export type Toast = { id: number; kind: "info" | "good" | "bad"; text: string; atMs: number; stays: boolean };

/** All there is to see. Only the store changes it. */
export type State = {
  connection: Connection;
  node: SystemStatus | null;
  vms: Map<string, Vm>;
  usage: Map<string, Usage>;
  /** Newest last, at most {@link MOST_EVENTS}. */
  events: VmEvent[];
  /** How far VMs that boot have come, by id. */
  booting: Map<string, string>;
  /** What is being done to a VM right now, by its id. */
  busy: Map<string, string>;
  screen: Screen;
  overlay: Overlay | null;
  fleet: {
    filter: string;
    /** Id of the VM that is chosen. A VM that vanishes hands over to its neighbour. */
    cursor: string | null;
    marked: Set<string>;
    top: number;
  };
  /** Of the VM that is looked at; null while none is. */
  detail: Detail | null;
  /** The screen of all events: the number of the one that is chosen, null for whichever is newest, and what is looked for. */
  journal: { seq: number | null; top: number; filter: string };
  toasts: Toast[];
  /** Which of them the last frame showed. */
  toastsShown: number[];
  /** Lines given to the palette, newest last. */
  history: string[];
  settings: Settings;
  /** For this start, whatever the settings say. */
  themeNow: ThemeName | null;
  /** Rises with every change: what is worked out from the state is kept as long as it stands still. */
  version: number;
};

export const MOST_EVENTS = 1_000;

export const initialState = (server: string, settings: Settings, nowMs: number): State => ({
  connection: { server, status: "connecting", sinceMs: nowMs, error: null, loaded: false },
  node: null,
  vms: new Map(),
  usage: new Map(),
  events: [],
  booting: new Map(),
  busy: new Map(),
  screen: { name: "fleet" },
  overlay: null,
  fleet: { filter: "", cursor: null, marked: new Set(), top: 0 },
  detail: null,
  journal: { seq: null, top: 0, filter: "" },
  toasts: [],
  toastsShown: [],
  history: [],
  settings,
  themeNow: null,
  version: 0,
});
