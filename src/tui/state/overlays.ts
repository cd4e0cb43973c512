import type { RowPlace } from "./rows.ts";
import type { Line } from "../canvas/line-editor.ts";
import type { Completion } from "../commands/commands.ts";
import type { Where } from "../keys/bindings.ts";
import type { Lines } from "./lines.ts";
import type { CreateFields, CreateField } from "../overlays/create/fields.ts";

/** A line of a menu; `key` chooses it at once. */
export type MenuItem = { key: string; label: string; run: () => void };

/** What lies over the screen and has the keys. Each kind stands in overlays/ with what it does. */
export type Overlay =
  | { kind: "filter"; line: Line }
  | { kind: "search"; line: Line }
  /** `of`: where it was asked for; `rows`: noted when it is drawn, how many keys are seen. */
  | { kind: "help"; of: Where; line: Line; top: number; rows: number }
  | {
      kind: "confirm";
      title: string;
      text: string;
      typed: { expected: string; line: Line } | null;
      proceed: () => void;
    }
  | { kind: "prompt"; title: string; hint: string; line: Line; hidden: boolean; submit: (text: string) => void }
  | { kind: "menu"; title: string; items: readonly MenuItem[]; cursor: number }
  | CreateOverlay
  | PaletteOverlay
  | OutputOverlay;
export type OverlayKind = Overlay["kind"];

/** Something to pick, and what may be said of it. */
export type Choice = { value: string; note: string };

export type CreateOverlay = {
  kind: "create";
  fields: CreateFields;
  focus: CreateField;
  /** Names to pick from, asked of the server when the form opened. */
  images: readonly Choice[];
  profiles: readonly Choice[];
  /** Both have come. */
  isAsked: boolean;
  /** Line of the list that is picked from; -1: none, the field is typed. */
  cursor: number;
  /** The server was asked, and has not answered. */
  isSent: boolean;
  /** Id of the VM that was made of it, while its boot is watched; null until then. */
  made: string | null;
  /** What the server refused with; nothing that was typed is lost. */
  refusal: string | null;
  /** Faults are shown of fields that were changed or left, and of all once it was tried. */
  touched: ReadonlySet<CreateField>;
};

export type PaletteOverlay = {
  kind: "palette";
  line: Line;
  /** Place in the history, counted from its end; 0: the line that is typed. */
  back: number;
  /** The line before the history was looked through. */
  draft: Line;
  /** Suggestion that was taken; -1: none. */
  cursor: number;
  found: readonly Completion[];
};

/** What a command of the palette writes. */
export type OutputOverlay = {
  kind: "output";
  title: string;
  lines: Lines;
  /** null: it runs. */
  code: number | null;
  /** What its first row shows: a line, and which row of it where it is wrapped. Not while it follows the end. */
  top: RowPlace;
  follow: boolean;
  /** Columns and rows there were for it in the last frame. */
  seen: { width: number; height: number };
  stop: AbortController;
};
