import { stat } from "node:fs/promises";
import { type Action, type ActionName, HypeError } from "../../src/contract/index.ts";
import { pause } from "../browser/deadline.ts";
import type { Target } from "../browser/frames.ts";
import type { TabSession } from "../browser/tabs.ts";
import { drag } from "./drag.ts";
import { type Modifier, MODIFIERS } from "./keys.ts";
import { reach, untilDone } from "./reach.ts";

type Of<A extends ActionName> = Extract<Action, { action: A }>;
type Performers = {
  [A in ActionName]: (tab: TabSession, action: Of<A>, signal: AbortSignal) => Promise<string[] | void>;
};

/** Does one action and returns when the page has taken it. @returns the values selected, of select */
export async function perform(tab: TabSession, action: Action, signal: AbortSignal): Promise<string[] | undefined> {
  const does = PERFORM[action.action] as (
    tab: TabSession,
    action: Action,
    signal: AbortSignal,
  ) => Promise<string[] | void>;
  return (await does(tab, action, signal)) ?? undefined;
}

const PERFORM: Performers = {
  async click(tab, action, signal) {
    const at = await where(tab, action, { enabled: true }, signal);
    await tab.hands.click(at, action.button, action.count, modifiersOf(action.modifiers), signal);
  },
  async hover(tab, action, signal) {
    await tab.hands.move(await where(tab, action, {}, signal), 1, modifiersOf(action.modifiers), signal);
  },
  drag: (tab, action, signal) => drag(tab, action, signal),
  async type(tab, { text, delay_ms, submit, ...target }, signal) {
    await focusOn(tab, target, signal);
    await tab.hands.type(text, delay_ms, signal);
    if (submit) await tab.hands.press("Enter", 1, 0, signal);
  },
  async fill(tab, { text, submit, force, ...target }, signal) {
    mustName(target);
    const left = await untilDone(signal, async () => {
      const { document, target: found } = await reach(
        tab,
        target,
        { visible: true, enabled: true, editable: true, force },
        signal,
      );
      return document.call("prepareFill", [found, text], signal);
    });
    if (left === "insert") await tab.hands.insert(text, signal);
    if (left === "delete") await tab.hands.press("Delete", 1, 0, signal);
    if (submit) await tab.hands.press("Enter", 1, 0, signal);
  },
  async press(tab, { key, count, delay_ms, ...target }, signal) {
    await focusOn(tab, target, signal);
    await tab.hands.press(key, count, delay_ms, signal);
  },
  async select(tab, { values, force, ...target }, signal) {
    mustName(target);
    return untilDone(signal, async () => {
      const { document, target: found } = await reach(tab, target, { visible: true, enabled: true, force }, signal);
      return document.call("selectOptions", [found, values], signal);
    });
  },
  async check(tab, { checked, force, ...target }, signal) {
    mustName(target);
    const isNow = () =>
      untilDone(signal, async () => {
        const { document, target: found } = await tab.frames.locate(target, signal);
        return document.call("checkState", [found], signal);
      });
    const { checked: before, radio } = await isNow();
    if (before === checked) return;
    if (radio && !checked)
      throw new HypeError("element_unsuitable", "a radio button cannot be unchecked: check another of its group");
    const at = await where(tab, { ...target, force }, { enabled: true }, signal);
    await tab.hands.click(at, "left", 1, [], signal);
    if ((await isNow()).checked !== checked)
      throw new HypeError(
        "element_unsuitable",
        `the page took the click but the element is still ${checked ? "un" : ""}checked`,
      );
  },
  async scroll(tab, { dx, dy, x, y, ...target }, signal) {
    if (named(target))
      return untilDone(signal, async () => {
        const { document, target: found } = await reach(tab, target, {}, signal);
        if (dx === 0 && dy === 0) await document.call("intoView", [found], signal);
        else await document.call("scrollBy", [found, dx, dy], signal);
      });
    await tab.hands.wheel(point(x, y) ?? (await middle(tab, signal)), dx, dy, signal);
    await untilDone(signal, async () => (await tab.frames.main(signal)).call("drawn", [], signal)); // it scrolls with the next frames
  },
  async focus(tab, { action: _action, ...target }, signal) {
    mustName(target);
    await focusOn(tab, target, signal);
  },
  async upload(tab, { paths = [], files: _files, ...target }, signal) {
    mustName(target);
    for (const path of paths) await mustBeFile(path);
    await untilDone(signal, async () => {
      const { document, target: found } = await reach(tab, target, { enabled: true }, signal);
      const objectId = await document.handle("fileInput", [found, paths.length], signal);
      const { session } = document;
      if (paths.length > 0) await session.send("DOM.setFileInputFiles", { files: paths, objectId }, signal);
      else await session.send("Runtime.callFunctionOn", { objectId, functionDeclaration: TAKE_FILES_AWAY }, signal);
    });
  },
  async mouse(tab, { type, x, y, button, modifiers, steps }, signal) {
    const at = point(x, y);
    if (type === "move" && !at) throw new HypeError("invalid_request", "give x and y: where the mouse is to move");
    if (at) await tab.hands.move(at, steps, modifiersOf(modifiers), signal);
    if (type !== "move") await tab.hands[type](button, modifiersOf(modifiers), signal);
  },
  async keyboard(tab, { type, key, text }, signal) {
    if (type === "insert" ? text === undefined : key === undefined)
      throw new HypeError("invalid_request", type === "insert" ? "give the text to insert" : "give the key");
    if (type === "insert") await tab.hands.insert(text!, signal);
    else await tab.hands[type === "down" ? "keyDown" : "keyUp"](key!, signal);
  },
  pause: (_tab, { ms }, signal) => pause(ms, signal),
};

/** Chromium takes an empty list for no order at all. */
const TAKE_FILES_AWAY = `function () {
  if (this.files.length === 0) return;
  this.value = "";
  for (const type of ["input", "change"]) this.dispatchEvent(new Event(type, { bubbles: true, composed: type === "input" }));
}`;

type Place = Target & {
  x?: number | undefined;
  y?: number | undefined;
  position?: { x: number; y: number } | undefined;
  force?: boolean;
};

/** The point of the viewport that an action means: given, or of the element it names once that can be acted upon. */
export async function where(
  tab: TabSession,
  { x, y, position, force = false, ...target }: Place,
  wanted: { enabled?: boolean },
  signal: AbortSignal,
): Promise<{ x: number; y: number }> {
  const given = point(x, y);
  if (given && named(target)) throw new HypeError("invalid_request", "give either an element or x and y, not both");
  if (given) return given;
  mustName(target);
  const wants = { visible: true, point: true, force, ...wanted, ...(position ? { at: position } : {}) };
  const reached = await reach(tab, target, wants, signal);
  return { x: reached.x, y: reached.y };
}

async function focusOn(tab: TabSession, target: Target, signal: AbortSignal): Promise<void> {
  if (!named(target)) return; // whatever has the focus now
  await untilDone(signal, async () => {
    const { document, target: found } = await reach(tab, target, { visible: true, enabled: true }, signal);
    await document.call("focus", [found], signal);
  });
}

const named = ({ ref, selector }: Target) => ref !== undefined || selector !== undefined;

/** @throws HypeError `invalid_request` */
function mustName(target: Target): void {
  if (!named(target)) throw new HypeError("invalid_request", "say which element: give its ref or a selector");
  if (target.ref !== undefined && target.selector !== undefined)
    throw new HypeError("invalid_request", "give either ref or selector, not both");
}

function point(x: number | undefined, y: number | undefined): { x: number; y: number } | null {
  if (x === undefined && y === undefined) return null;
  if (x === undefined || y === undefined) throw new HypeError("invalid_request", "give both x and y");
  return { x, y };
}

async function middle(tab: TabSession, signal: AbortSignal): Promise<{ x: number; y: number }> {
  const { cssLayoutViewport } = await tab.send("Page.getLayoutMetrics", undefined, signal);
  return { x: cssLayoutViewport.clientWidth / 2, y: cssLayoutViewport.clientHeight / 2 };
}

const modifiersOf = (names: (Modifier | "ControlOrMeta")[]): Modifier[] =>
  [...new Set(names)].map((name) => (Object.hasOwn(MODIFIERS, name) ? (name as Modifier) : "Control"));

async function mustBeFile(path: string): Promise<void> {
  const found = path.startsWith("/") ? await stat(path).catch(() => null) : null;
  if (!found?.isFile())
    throw new HypeError("invalid_request", `paths: there is no file ${path} in the guest; give the whole path of one`);
}
