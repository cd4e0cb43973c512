import * as v from "valibot";
import { type Acted, type Action, type ActionName, Actions, actionSchema } from "../contract/index.ts";
import { elementOf, onPage, optionalTarget, snapshot, target, words } from "./fields.ts";
import { onTab } from "./on-tab.ts";
import { actedResult, PlaceShown } from "./page-result.ts";
import { parsed } from "./parse.ts";
import { family, type ToolContext, type ToolResult } from "./tool.ts";

const tool = family("input");
type Place = { vm: string; tab?: string | undefined; snapshot?: boolean | undefined };

/** One action on the caller's tab; the page afterwards. */
export const act = (context: ToolContext, place: Place, name: ActionName, fields: object): Promise<ToolResult> =>
  onTab(context, place, async (on) => {
    const request = parsed(actionSchema(name), { ...fields, tab: on.tab });
    const acted: Acted = await on.guest.page.act(name, request, on.signal);
    return actedResult(on, acted, place.snapshot);
  });

const onElement = { ...onPage, target };
const modifiers = v.optional(v.array(v.picklist(["Alt", "Control", "ControlOrMeta", "Meta", "Shift"])), []);
const FIELD_TYPES = ["textbox", "checkbox", "radio", "combobox", "slider"] as const;
/** CSS pixels. */
export const px = v.pipe(v.number(), v.minValue(-100_000), v.maxValue(100_000));

export const actTools = [
  tool({
    name: "browser_click",
    title: "Click",
    description: "Clicks an element once it can be clicked.",
    isDefault: true,
    input: v.strictObject({
      ...onElement,
      doubleClick: v.optional(v.boolean()),
      button: v.optional(v.picklist(["left", "right", "middle"])),
      modifiers,
      snapshot,
    }),
    isOpenWorld: true,
    handle: (input, context) =>
      act(context, input, "click", {
        ...elementOf(input.target),
        count: input.doubleClick ? 2 : 1,
        modifiers: input.modifiers,
        ...(input.button && { button: input.button }),
      }),
  }),
  tool({
    name: "browser_hover",
    title: "Hover",
    description: "Moves the mouse over an element.",
    isDefaultForOne: true,
    input: v.strictObject({ ...onElement, snapshot }),
    isOpenWorld: true,
    handle: (input, context) => act(context, input, "hover", elementOf(input.target)),
  }),
  tool({
    name: "browser_drag",
    title: "Drag and drop",
    description: "Drags an element to another.",
    isDefaultForOne: true,
    input: v.strictObject({ ...onPage, startTarget: target, endTarget: target, snapshot }),
    isOpenWorld: true,
    handle: (input, context) =>
      act(context, input, "drag", { ...elementOf(input.startTarget), to: elementOf(input.endTarget) }),
  }),
  tool({
    name: "browser_type",
    title: "Type text",
    description: "Sets the text of a field; submit presses Enter; slowly types key by key.",
    isDefault: true,
    input: v.strictObject({
      ...onElement,
      text: v.pipe(v.string(), v.maxLength(2_000_000)),
      submit: v.optional(v.boolean(), false),
      slowly: v.optional(v.boolean(), false),
      snapshot,
    }),
    isOpenWorld: true,
    handle: (input, context) =>
      act(context, input, input.slowly ? "type" : "fill", {
        ...elementOf(input.target),
        text: input.text,
        submit: input.submit,
      }),
  }),
  tool({
    name: "browser_fill_form",
    title: "Fill a form",
    description:
      "Sets several fields in one call. value: text; true or false for checkbox and radio; an option's text for combobox.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      fields: v.pipe(
        v.array(
          v.object({
            target,
            type: v.optional(v.picklist(FIELD_TYPES), "textbox"),
            value: v.pipe(v.string(), v.maxLength(1_000_000)),
          }),
        ),
        v.minLength(1),
        v.maxLength(100),
      ),
      snapshot,
    }),
    isOpenWorld: true,
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const request = parsed(Actions, { actions: input.fields.map(fieldAction), tab: on.tab });
        const acted = await on.guest.page.actions(request, on.signal);
        return actedResult(on, acted, input.snapshot);
      }),
  }),
  tool({
    name: "browser_select_option",
    title: "Select options",
    description: "Chooses options of a select by value or text.",
    isDefault: true,
    input: v.strictObject({ ...onElement, values: v.pipe(v.array(v.string()), v.maxLength(1_000)), snapshot }),
    isOpenWorld: true,
    handle: (input, context) => act(context, input, "select", { ...elementOf(input.target), values: input.values }),
  }),
  tool({
    name: "browser_press_key",
    title: "Press a key",
    description: "Presses a key or chord (Enter, ArrowDown, Control+A), on `target` or where the focus is.",
    isDefault: true,
    input: v.strictObject({ ...onPage, key: words(100), target: optionalTarget, snapshot }),
    isOpenWorld: true,
    handle: (input, context) => act(context, input, "press", { ...elementOf(input.target), key: input.key }),
  }),
  tool({
    name: "browser_scroll",
    title: "Scroll",
    description: "Scrolls the page or an element by pixels; a target without dx and dy is brought into view.",
    input: v.strictObject({
      ...onPage,
      target: optionalTarget,
      dx: v.optional(px, 0),
      dy: v.optional(px, 0),
      snapshot,
    }),
    output: PlaceShown,
    handle: (input, context) =>
      act(context, input, "scroll", { ...elementOf(input.target), dx: input.dx, dy: input.dy }),
  }),
];

type Field = { target: string; type: (typeof FIELD_TYPES)[number]; value: string };

function fieldAction({ target: wanted, type, value }: Field): v.InferInput<typeof Action> {
  const element = elementOf(wanted);
  if (type === "checkbox" || type === "radio") return { action: "check", ...element, checked: value !== "false" };
  if (type === "combobox") return { action: "select", ...element, values: [value] };
  return { action: "fill", ...element, text: value };
}
