import type { Control, PageCommand, PageMessage } from "../contract/index.ts";
import { brief, element } from "./element.ts";

export type ControlMessage = Extract<PageMessage, { type: "control" }>;

const who = element("who");
const take = element<HTMLButtonElement>("take");
/** After the first press somebody else's control is only taken by a second one. */
const SURE_MS = 4_000;
let unsure: ReturnType<typeof setTimeout> | undefined;

const nameOf = ({ label, link }: Control): string =>
  label ? brief(label, 40) : link === null ? "Somebody" : "Another watcher";

/** Says who has control, and offers what can be done about it. */
export function showControl({ control, mine, watchers }: ControlMessage, viewOnly: boolean, isLive: boolean): void {
  clearTimeout(unsure);
  const isOffered = control !== null && control.link === null;
  const others = watchers > 1 ? ` · ${watchers} watching` : "";
  document.body.classList.toggle("mine", mine);
  document.body.classList.toggle("viewer", viewOnly);
  document.body.classList.toggle("offered", isOffered && !viewOnly);
  if (mine) who.textContent = `You have control${others}`;
  else if (isOffered)
    who.textContent = control.label
      ? `Waiting for ${brief(control.label, 40)}${others}`
      : `Waiting for a person${others}`;
  else if (control) who.textContent = `${nameOf(control)} has control${others}`;
  else who.textContent = `${viewOnly ? "View only" : "You are watching"}${others}`;
  take.hidden = viewOnly;
  take.disabled = !isLive;
  take.classList.toggle("primary", !mine && (control === null || isOffered));
  take.textContent = mine ? "Give back" : control && !isOffered ? "Take over" : "Take control";
  take.dataset.does = mine ? "return" : control && !isOffered ? "ask" : "take";
}

export function watchControl(send: (command: PageCommand) => void): void {
  take.addEventListener("click", () => {
    const { does } = take.dataset;
    if (does === "return") return send({ type: "return" });
    if (does !== "ask") return send({ type: "take", force: does === "force" });
    take.textContent = "Really take over?";
    take.dataset.does = "force";
    unsure = setTimeout(() => {
      take.textContent = "Take over";
      take.dataset.does = "ask";
    }, SURE_MS);
  });
}

/** The way out of a refusal, shown. */
export function pointAtTake(): void {
  if (!take.hidden && !take.disabled) take.focus();
}
