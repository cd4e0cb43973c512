import * as v from "valibot";
import { elementFields, onTab, ref, selector } from "./browser.ts";
import { Download } from "./download.ts";
import { UploadName } from "./upload.ts";

/** What is done to a page: by element, or by coordinates where `x` and `y` are given (CSS pixels of the viewport). */

/** An action that cannot be done is refused after this long, so that a caller can look again instead of waiting a minute. */
const actTimeoutMs = v.optional(
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(300_000), v.description("Milliseconds; default 15000")),
  15_000,
);
export const onTabActing = { ...onTab, timeout_ms: actTimeoutMs };

const px = v.pipe(v.number(), v.minValue(-100_000), v.maxValue(100_000));
const point = { x: v.optional(px), y: v.optional(px) };
const button = v.optional(v.picklist(["left", "middle", "right", "back", "forward"]), "left");
const modifiers = v.optional(
  v.pipe(v.array(v.picklist(["Alt", "Control", "Meta", "Shift", "ControlOrMeta"])), v.maxLength(5)),
  [],
);
const force = v.optional(
  v.pipe(v.boolean(), v.description("Without waiting for it to be visible, still, enabled, uncovered")),
  false,
);
const position = v.optional(
  v.pipe(
    v.strictObject({ x: px, y: px }),
    v.description("Where on the element, from its upper left corner; default: its middle"),
  ),
);
const text = v.pipe(v.string(), v.maxLength(2_000_000));
const key = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(100),
  v.description("Enter, a, ArrowDown, Control+Shift+K, …"),
);
const delayMs = v.optional(
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000), v.description("Between keys, ms")),
  0,
);

/** Fields of each action, by its name. */
export const ACTIONS = {
  click: {
    ...elementFields,
    ...point,
    button,
    modifiers,
    count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3)), 1),
    position,
    force,
  },
  hover: { ...elementFields, ...point, modifiers, position, force },
  drag: {
    ...elementFields,
    ...point,
    to: v.pipe(
      v.strictObject({
        ref: v.optional(ref),
        selector: v.optional(selector),
        frame: elementFields.frame,
        x: v.optional(px),
        y: v.optional(px),
      }),
      v.description("Where it is dropped: an element or a point"),
    ),
    force,
  },
  type: {
    ...elementFields,
    text,
    delay_ms: delayMs,
    submit: v.optional(v.pipe(v.boolean(), v.description("Press Enter afterwards")), false),
  },
  fill: {
    ...elementFields,
    text,
    submit: v.optional(v.pipe(v.boolean(), v.description("Press Enter afterwards")), false),
    force,
  },
  press: {
    ...elementFields,
    key,
    count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 1),
    delay_ms: delayMs,
  },
  select: {
    ...elementFields,
    values: v.pipe(v.array(v.pipe(v.string(), v.maxLength(8_192))), v.maxLength(1_000)),
    force,
  },
  check: { ...elementFields, checked: v.optional(v.boolean(), true), force },
  scroll: {
    ...elementFields,
    ...point,
    dx: v.optional(px, 0),
    dy: v.optional(v.pipe(px, v.description("CSS pixels down; 0 with dx 0: the element is brought into view")), 0),
  },
  focus: { ...elementFields },
  upload: {
    ...elementFields,
    files: v.optional(
      v.pipe(v.array(UploadName), v.maxLength(1_000), v.description("Names of uploads; an empty list takes all away")),
    ),
    paths: v.optional(
      v.pipe(
        v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(4_096))),
        v.maxLength(1_000),
        v.description("Files of the guest, whole paths; instead of files"),
      ),
    ),
  },
  mouse: {
    ...point,
    type: v.picklist(["move", "down", "up"]),
    button,
    modifiers,
    steps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 1),
  },
  keyboard: { type: v.picklist(["down", "up", "insert"]), key: v.optional(key), text: v.optional(text) },
  pause: { ms: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(60_000)) },
} as const;
export type ActionName = keyof typeof ACTIONS;
export const ACTION_NAMES = Object.keys(ACTIONS) as ActionName[];

/** Body of `…/browser/<action>`. */
export const actionSchema = <A extends ActionName>(name: A) =>
  v.strictObject({ ...ACTIONS[name], ...onTabActing }) as unknown as v.GenericSchema<unknown, ActionRequest<A>>;
type Entries<A extends ActionName> = (typeof ACTIONS)[A] extends infer E extends v.ObjectEntries ? E : never;
export type ActionFields<A extends ActionName> = v.InferOutput<v.StrictObjectSchema<Entries<A>, undefined>>;
export type ActionRequest<A extends ActionName> = ActionFields<A> & { timeout_ms: number; tab?: string | undefined };

export const Action = v.variant("action", [
  v.strictObject({ action: v.literal("click"), ...ACTIONS.click }),
  v.strictObject({ action: v.literal("hover"), ...ACTIONS.hover }),
  v.strictObject({ action: v.literal("drag"), ...ACTIONS.drag }),
  v.strictObject({ action: v.literal("type"), ...ACTIONS.type }),
  v.strictObject({ action: v.literal("fill"), ...ACTIONS.fill }),
  v.strictObject({ action: v.literal("press"), ...ACTIONS.press }),
  v.strictObject({ action: v.literal("select"), ...ACTIONS.select }),
  v.strictObject({ action: v.literal("check"), ...ACTIONS.check }),
  v.strictObject({ action: v.literal("scroll"), ...ACTIONS.scroll }),
  v.strictObject({ action: v.literal("focus"), ...ACTIONS.focus }),
  v.strictObject({ action: v.literal("upload"), ...ACTIONS.upload }),
  v.strictObject({ action: v.literal("mouse"), ...ACTIONS.mouse }),
  v.strictObject({ action: v.literal("keyboard"), ...ACTIONS.keyboard }),
  v.strictObject({ action: v.literal("pause"), ...ACTIONS.pause }),
]);
export type Action = v.InferOutput<typeof Action>;

/** Body of `…/browser/actions`: one after the other; the first that fails ends it and says which it was. `timeout_ms` is for all. */
export const Actions = v.strictObject({ actions: v.pipe(v.array(Action), v.minLength(1), v.maxLength(500)), ...onTab });
export type Actions = v.InferOutput<typeof Actions>;

/**
 * `dialogs`: what the page asked meanwhile, the last 100; `dialogs_dropped` counts those before them. `dialog_open`: the last of them waits to be answered (policy `ask`), and the page
 * stands still until then. `selected`: of select.
 */
export const Acted = v.object({
  tab: v.string(),
  url: v.string(),
  title: v.string(),
  dialogs: v.array(v.object({ type: v.string(), message: v.string() })),
  dialogs_dropped: v.optional(v.number(), 0),
  dialog_open: v.boolean(),
  selected: v.optional(v.array(v.string())),
});
export type Acted = v.InferOutput<typeof Acted>;

/** Body of `…/browser/wait`: exactly one condition. */
export const Wait = v.pipe(
  v.strictObject({
    selector: v.optional(selector),
    state: v.optional(v.picklist(["visible", "hidden", "attached", "detached"]), "visible"),
    text: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(8_192))),
    text_gone: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(8_192))),
    url: v.optional(
      v.pipe(v.string(), v.minLength(1), v.maxLength(8_192), v.description("Address, glob (* ** ?) or /pattern/flags")),
    ),
    function: v.optional(
      v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(900_000),
        v.description("Expression or function of the page that becomes true"),
      ),
    ),
    network_idle: v.optional(v.literal(true)),
    load: v.optional(v.picklist(["domcontentloaded", "load"])),
    dialog: v.optional(v.literal(true)),
    download: v.optional(
      v.pipe(
        v.union([
          v.literal(true),
          v.strictObject({
            name: v.optional(
              v.pipe(
                v.string(),
                v.minLength(1),
                v.maxLength(1_024),
                v.description("Name, glob (* ** ?) or /pattern/flags"),
              ),
            ),
          }),
        ]),
        v.description(
          "Until one has ended; each is told of once, oldest first, so that the click may come before the wait",
        ),
      ),
    ),
    frame: elementFields.frame,
    ...onTab,
  }),
  v.check(
    (wanted) => WAIT_FOR.filter((name) => wanted[name] !== undefined).length === 1,
    `give exactly one of selector, text, text_gone, url, function, network_idle, load, dialog, download`,
  ),
  v.check(
    ({ frame, url, load, network_idle, dialog, download }) =>
      frame === undefined || [url, load, network_idle, dialog, download].every((other) => other === undefined),
    "frame: only selector, text, text_gone and function are waited for in a frame",
  ),
);
export const WAIT_FOR = [
  "selector",
  "text",
  "text_gone",
  "url",
  "function",
  "network_idle",
  "load",
  "dialog",
  "download",
] as const;
export type Wait = v.InferOutput<typeof Wait>;
export const Waited = v.object({
  tab: v.string(),
  url: v.string(),
  title: v.string(),
  dialog: v.nullable(v.object({ type: v.string(), message: v.string() })),
  download: v.optional(v.pipe(Download, v.description("Of a wait for a download; look at its state"))),
});
export type Waited = v.InferOutput<typeof Waited>;
