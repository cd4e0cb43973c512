import type { Artifact, Egress, Entry, Tab } from "../../contract/index.ts";
import type { Lines } from "./lines.ts";

/** How a pane with many lines is looked at. */
export type Scroll = {
  /** First line shown; ignored while `follow` holds. */
  top: number;
  /** Stays at the end as more comes. */
  follow: boolean;
  wrap: boolean;
  /** Lines that hold it are marked; "" marks none. */
  search: string;
  /** Index of the marked line that was gone to last; -1: none. */
  at: number;
};
export const AT_END: Scroll = { top: 0, follow: true, wrap: false, search: "", at: -1 };
export const AT_START: Scroll = { top: 0, follow: false, wrap: false, search: "", at: -1 };

export type Picture = { bytes: Uint8Array; atMs: number };

/** What is known of the VM that is looked at, as far as its panes asked for it; replaced when another VM is looked at. */
export type Detail = {
  vmId: string;
  tabs: readonly Tab[] | null;
  /** Of the pane that shows lines: console or log. */
  lines: Lines | null;
  egress: Egress | null;
  entries: readonly Entry[] | null;
  artifacts: readonly Artifact[] | null;
  picture: Picture | null;
  /** Noted when the screen is drawn: whether the page's picture has a place on it that nothing covers. */
  pageSeen: boolean;
  /** Whose log the pane of logs follows. */
  logSource: "agent" | "vmm";
  /** Why the pane has nothing to show. */
  problem: string | null;
  scroll: Scroll;
  /** Noted by the pane when it is drawn: how many rows it has, and the largest `top` that leaves none of them empty. */
  seen: { rows: number; most: number };
  /** The picture alone, as large as the screen. */
  enlarged: boolean;
};

export const emptyDetail = (vmId: string): Detail => ({
  vmId,
  tabs: null,
  lines: null,
  egress: null,
  entries: null,
  artifacts: null,
  picture: null,
  pageSeen: false,
  logSource: "agent",
  problem: null,
  scroll: AT_START,
  seen: { rows: 0, most: 0 },
  enlarged: false,
});
