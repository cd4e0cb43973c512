import * as v from "valibot";
import { Actions } from "../contract/index.ts";
import { act, px } from "./act.ts";
import { onPage, snapshot, unlisted } from "./fields.ts";
import { onTab } from "./on-tab.ts";
import { actedResult, PlaceShown } from "./page-result.ts";
import { parsed } from "./parse.ts";
import { family } from "./tool.ts";

const tool = family("input");
const point = { ...onPage, x: px, y: px };
const button = v.optional(v.picklist(["left", "right", "middle"]), "left");
const onPoint = { output: PlaceShown, isOpenWorld: true };

/** The mouse by points of the viewport: for canvases, where a snapshot shows nothing. */
export const mouseTools = [
  tool({
    ...onPoint,
    name: "browser_mouse_move_xy",
    title: "Move the mouse",
    description: "Moves the mouse to a point of the viewport (CSS pixels).",
    input: v.strictObject(point),
    handle: (input, context) => act(context, input, "mouse", { type: "move", x: input.x, y: input.y }),
  }),
  tool({
    ...onPoint,
    name: "browser_mouse_click_xy",
    title: "Click a point",
    description: "Clicks a point of the viewport (CSS pixels): for canvases, where a snapshot shows nothing.",
    input: v.strictObject({
      ...point,
      button,
      clickCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3)), 1),
      delay: unlisted(v.pipe(v.number(), v.minValue(0), v.maxValue(10_000))),
      snapshot,
    }),
    handle: ({ x, y, button, clickCount: count, delay = 0, ...place }, context) =>
      delay === 0
        ? act(context, place, "click", { x, y, button, count })
        : onTab(context, place, async (on) => {
            const down = { action: "mouse", type: "down", button };
            const held = [down, { action: "pause", ms: Math.ceil(delay) }, { ...down, type: "up" }];
            const actions = [
              { action: "mouse", type: "move", x, y },
              ...Array.from({ length: count }, () => held).flat(),
            ];
            const acted = await on.guest.page.actions(parsed(Actions, { actions, tab: on.tab }), on.signal);
            return actedResult(on, acted, place.snapshot);
          }),
  }),
  tool({
    ...onPoint,
    name: "browser_mouse_drag_xy",
    title: "Drag between points",
    description: "Drags from one point of the viewport to another (CSS pixels).",
    input: v.strictObject({ ...onPage, startX: px, startY: px, endX: px, endY: px, snapshot }),
    handle: (input, context) =>
      act(context, input, "drag", { x: input.startX, y: input.startY, to: { x: input.endX, y: input.endY } }),
  }),
  ...(["down", "up"] as const).map((type) =>
    tool({
      ...onPoint,
      name: `browser_mouse_${type}`,
      title: type === "down" ? "Press a mouse button" : "Release a mouse button",
      description: `${type === "down" ? "Presses" : "Releases"} a mouse button where the mouse is.`,
      input: v.strictObject({ ...onPage, button, snapshot }),
      handle: (input, context) => act(context, input, "mouse", { type, button: input.button }),
    }),
  ),
  tool({
    ...onPoint,
    name: "browser_mouse_wheel",
    title: "Turn the mouse wheel",
    description: "Turns the wheel by CSS pixels over a point of the viewport; default: its middle.",
    input: v.strictObject({
      ...onPage,
      deltaX: v.optional(px, 0),
      deltaY: v.optional(px, 0),
      x: v.optional(px),
      y: v.optional(px),
      snapshot,
    }),
    handle: ({ deltaX: dx, deltaY: dy, x, y, ...place }, context) =>
      act(context, place, "scroll", { dx, dy, ...(x !== undefined && { x }), ...(y !== undefined && { y }) }),
  }),
];
