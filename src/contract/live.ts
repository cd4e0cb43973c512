import * as v from "valibot";
import { UploadName, WriteUpload } from "./upload.ts";
import { LIMITS } from "./vm.ts";

/**
 * The wire of the live view: agent <-> server <-> page, one WebSocket each way, the same messages on both. The page (or the server for it)
 * sends a {@link LiveCommand} as JSON text; back come {@link LiveMessage}s as JSON text and pictures as binary messages:
 * four bytes, big-endian, the length of a JSON {@link LiveFrame}; that JSON; then the image.
 * A picture is only sent after the one before was acknowledged (`ack`), so a slow watcher gets fewer, never older, pictures.
 */
const tab = v.pipe(v.string(), v.maxLength(64));
/** CSS pixels of the page's viewport. */
const coordinate = v.pipe(v.number(), v.minValue(-100_000), v.maxValue(100_000));
const pixels = v.pipe(v.number(), v.integer(), v.minValue(50), v.maxValue(4096));
/** As `Input.dispatchMouseEvent` has it: 1 Alt, 2 Ctrl, 4 Meta, 8 Shift. */
const modifiers = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15)), 0);
const button = v.picklist(["none", "left", "middle", "right", "back", "forward"]);
const text = (characters: number) => v.pipe(v.string(), v.maxLength(characters));

/** Files that are handed over together, by {@link HandFile}; the page of the live view makes it up. */
const batch = v.pipe(v.string(), v.uuid("must be a UUID"));
const names = v.pipe(v.array(UploadName), v.maxLength(100, "must be at most 100 files"));

/** What watching itself needs; anybody with a link may send these. */
export const WatchCommand = v.variant("type", [
  /** Which tab, in which size and quality. Without a tab: the one in use, followed when it changes. Sent again to change any of it. */
  v.strictObject({
    type: v.literal("watch"),
    tab: v.optional(tab),
    max_width: v.optional(pixels, 1280),
    max_height: v.optional(pixels, 1024),
    quality: v.optional(v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(95)), 60),
  }),
  /** Nobody looks (a hidden window): no pictures until the next `watch`. */
  v.strictObject({ type: v.literal("pause") }),
  v.strictObject({ type: v.literal("ack"), frame: v.pipe(v.number(), v.integer()) }),
]);
export type WatchCommand = v.InferOutput<typeof WatchCommand>;

/** What acts on the browser; only who holds control may send these. */
export const ControlCommand = v.variant("type", [
  v.strictObject({
    type: v.literal("mouse"),
    action: v.picklist(["move", "down", "up", "wheel"]),
    x: coordinate,
    y: coordinate,
    button: v.optional(button, "none"),
    buttons: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31)), 0),
    click_count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3)), 0),
    delta_x: v.optional(coordinate, 0),
    delta_y: v.optional(coordinate, 0),
    modifiers,
  }),
  v.strictObject({
    type: v.literal("key"),
    action: v.picklist(["down", "up"]),
    /** As a KeyboardEvent has them. */
    key: text(32),
    code: text(32),
    /** What it types; empty when it types nothing. */
    text: v.optional(text(8), ""),
    modifiers,
  }),
  v.strictObject({
    type: v.literal("touch"),
    action: v.picklist(["start", "move", "end", "cancel"]),
    /** What touches after this, as `TouchEvent.touches` has it: nothing at the last `end`, and at a `cancel`. */
    points: v.pipe(v.array(v.strictObject({ x: coordinate, y: coordinate, id: v.number() })), v.maxLength(10)),
    modifiers,
  }),
  /** Text put in where the focus is: a paste, or what an input method composed. */
  v.strictObject({ type: v.literal("text"), text: text(LIMITS.body_bytes / 4) }),
  /** The page's selection is wanted; answered by `clipboard`. */
  v.strictObject({ type: v.literal("copy"), cut: v.optional(v.boolean(), false) }),
  v.strictObject({ type: v.literal("navigate"), url: text(8192) }),
  v.strictObject({ type: v.literal("history"), direction: v.picklist(["back", "forward", "reload", "stop"]) }),
  v.strictObject({
    type: v.literal("tabs"),
    action: v.picklist(["open", "activate", "close"]),
    tab: v.optional(tab),
    url: v.optional(text(8192)),
  }),
  /** The viewport of the tab that is watched; null: what it was before. */
  v.strictObject({
    type: v.literal("resize"),
    size: v.nullable(v.strictObject({ width: pixels, height: pixels })),
  }),
  v.strictObject({
    type: v.literal("dialog"),
    accept: v.boolean(),
    prompt_text: v.optional(text(65_536)),
  }),
  /** What was picked from `choices`: one of its options by its place, or a value; neither: nothing, and the picker closes. */
  v.strictObject({
    type: v.literal("choose"),
    option: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    value: v.optional(text(64)),
  }),
  /** What was chosen for `files_wanted`, and handed over before; without names: nothing. */
  v.strictObject({
    type: v.literal("files"),
    chooser: text(64),
    batch: v.optional(batch),
    names: v.optional(names, []),
  }),
  /** Files, handed over before, that were dropped on a point of the page. */
  v.strictObject({ type: v.literal("drop"), x: coordinate, y: coordinate, modifiers, batch, names }),
  /**
   * Control is given back: keys and buttons still held are let go, the viewport is what it was, and dialogs are the automation's again.
   * The end of the connection does the same. From the first command of this list until then, dialogs of the watched tab wait for `dialog`.
   */
  v.strictObject({ type: v.literal("release") }),
]);
export type ControlCommand = v.InferOutput<typeof ControlCommand>;

export const LiveCommand = v.variant("type", [...WatchCommand.options, ...ControlCommand.options]);
export type LiveCommand = v.InferOutput<typeof LiveCommand>;

/** Input fields with a picker, by `type`. */
export const PICKERS = ["color", "date", "datetime-local", "month", "time", "week"] as const;
/** A picker of the page opened by a click: Chromium draws it beside the page, so that no picture of the page shows it. */
export const Choices = v.object({
  /** Where it was clicked. */
  x: v.number(),
  y: v.number(),
  /** Of a list; empty for an input field. */
  options: v.pipe(
    v.array(
      v.object({
        label: v.pipe(v.string(), v.maxLength(256)),
        group: v.pipe(v.string(), v.maxLength(256)),
        selected: v.boolean(),
        disabled: v.boolean(),
      }),
    ),
    v.maxLength(1_000),
  ),
  /** Of an input field; null for a list. */
  field: v.nullable(
    v.object({
      type: v.picklist(PICKERS),
      value: v.pipe(v.string(), v.maxLength(64)),
      min: v.pipe(v.string(), v.maxLength(64)),
      max: v.pipe(v.string(), v.maxLength(64)),
      step: v.pipe(v.string(), v.maxLength(64)),
    }),
  ),
});
export type Choices = v.InferOutput<typeof Choices>;

const LiveDownload = v.object({
  id: v.pipe(v.string(), v.maxLength(64)),
  name: v.pipe(v.string(), v.maxLength(255)),
  state: v.picklist(["in_progress", "completed", "canceled", "failed"]),
  received_bytes: v.number(),
  /** null: the site does not say. */
  total_bytes: v.nullable(v.number()),
});

const LiveTab = v.object({ id: v.string(), url: v.string(), title: v.string(), active: v.boolean() });
export const LiveMessage = v.variant("type", [
  /** First, and whenever something of it changes. `loading`: the watched tab fetches a page; known from the page's commit on. */
  v.object({ type: v.literal("tabs"), watched: v.nullable(v.string()), loading: v.boolean(), items: v.array(LiveTab) }),
  v.object({ type: v.literal("clipboard"), text: v.string() }),
  v.object({
    type: v.literal("dialog"),
    /** null: it is gone. */
    dialog: v.nullable(
      v.object({
        kind: v.picklist(["alert", "confirm", "prompt", "beforeunload"]),
        message: v.string(),
        value: v.string(),
      }),
    ),
  }),
  /** To whoever acts; answered by `choose`. null: it is gone. */
  v.object({ type: v.literal("choices"), choices: v.nullable(Choices) }),
  /** To whoever acts: the page opens its file chooser; answered by `files`. null: it is gone. */
  v.object({
    type: v.literal("files_wanted"),
    wanted: v.nullable(
      v.object({
        chooser: v.string(),
        multiple: v.boolean(),
        /** A folder is wanted. */
        folder: v.boolean(),
        /** As `<input accept>` has it. */
        accept: v.pipe(v.string(), v.maxLength(1_024)),
      }),
    ),
  }),
  /** To whoever acts: a download that began under their hands. Its bytes: `GET /live/:name/downloads/:id`. */
  v.object({ type: v.literal("download"), download: LiveDownload }),
  v.object({ type: v.literal("cursor"), cursor: v.string() }),
  /** A command could not be carried out; the connection goes on. */
  v.object({ type: v.literal("error"), code: v.string(), message: v.string() }),
]);
export type LiveMessage = v.InferOutput<typeof LiveMessage>;

/** Head of a picture. */
export const LiveFrame = v.object({
  frame: v.pipe(v.number(), v.integer()),
  tab: v.string(),
  format: v.picklist(["jpeg", "png"]),
  /** CSS pixels of the viewport the picture shows: what coordinates of commands are in. */
  width: v.number(),
  height: v.number(),
});
export type LiveFrame = v.InferOutput<typeof LiveFrame>;

/** What is told before the bytes of a file that is handed to a page: with which others, and for which tab. */
export const HandFile = v.strictObject({ ...WriteUpload.entries, batch, tab });
export type HandFile = v.InferOutput<typeof HandFile>;
