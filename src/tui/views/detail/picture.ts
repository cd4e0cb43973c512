import { duration } from "../../../text/units.ts";
import type { PaneView } from "./vm.ts";

/** A picture comes every two seconds or so; one that is older than this says how old it is, milliseconds. */
const STALE_MS = 10_000;

/** Fewer rows than this show nothing of a page. */
export const LEAST_PAGE_ROWS = 6;

/** A frame, and in it the picture of the page, which the app lays over it. */
export const drawPage: PaneView = ({ canvas, area, vm, detail, nowMs }) => {
  const { picture, problem } = detail;
  const isRunning = vm.status === "running";
  const oldMs = picture ? nowMs - picture.atMs : 0;
  const isStale = isRunning && oldMs > STALE_MS;
  const title = isStale ? `page, ${duration(Math.floor(oldMs / 1000) * 1000).replace(".0 s", " s")} old` : "page";
  const inside = canvas.box(area, title, { titleInk: isStale ? "warning" : "muted" });
  const say = (text: string) => void canvas.text(inside, ` ${text}`, { ink: "muted" });
  if (!isRunning) return say(`${vm.name} is ${vm.status}`);
  if (!canvas.theme.isColoured) return say("the page is not drawn without colours");
  detail.pageSeen = true;
  if (!picture) return say(problem ?? "waiting for the first picture");
  canvas.picture = inside;
};
