import type { Artifact, Egress, Entry, Tab } from "../../contract/index.ts";
import type { Lines } from "./lines.ts";
import { type RowPlace, Rows } from "./rows.ts";

/** How a pane with many lines is looked at. */
export type Scroll = {
  /** First line shown, and of a wrapped one its first row; ignored while `follow` holds. */
  top: number;
  row: number;
  /** Stays at the end as more comes. */
  follow: boolean;
  wrap: boolean;
  /** Lines that hold it are marked; "" marks none. */
  search: string;
  /** Index of the marked line that was gone to last; -1: none. */
  at: number;
};
export const AT_END: Scroll = { top: 0, row: 0, follow: true, wrap: false, search: "", at: -1 };
export const AT_START: Scroll = { top: 0, row: 0, follow: false, wrap: false, search: "", at: -1 };

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
  /** Noted by the pane when it is drawn: how many columns and rows it has, and the largest `top` that leaves none of them empty. */
  seen: { width: number; rows: number; most: number };
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
  seen: { width: 0, rows: 0, most: 0 },
  enlarged: false,
});

/** The rows of the pane that shows lines. */
export const rowsOf = ({ lines, seen, scroll }: Detail): Rows =>
  new Rows(lines?.all() ?? [], { width: seen.width, height: seen.rows }, scroll.wrap);

/** How it is looked at from there on. */
export const scrolledTo = ({ scroll }: Detail, { line, row }: RowPlace, follow = false): Scroll => ({
  ...scroll,
  top: line,
  row,
  follow,
});
