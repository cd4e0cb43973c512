import type { ControlCommand, LiveMessage } from "../contract/index.ts";
import { brief, element } from "./element.ts";
import { focusPage } from "./focus.ts";

type Dialog = Extract<LiveMessage, { type: "dialog" }>["dialog"];

const panel = element("dialog");
const input = element<HTMLInputElement>("dialog-input");
const accept = element<HTMLButtonElement>("dialog-accept");
const cancel = element<HTMLButtonElement>("dialog-cancel");

/** A dialog of the page in the VM: shown in our own clothes, so that none passes for one of this page. */
export function showDialog(dialog: Dialog, mayAnswer: boolean): void {
  const wasHidden = panel.hidden;
  panel.hidden = dialog === null;
  if (dialog === null) return;
  const isLeaving = dialog.kind === "beforeunload";
  element("dialog-title").textContent = isLeaving ? "The page asks before it is left" : "The page says";
  element("dialog-message").textContent = isLeaving
    ? dialog.message || "What was entered may be lost."
    : brief(dialog.message, 4_000);
  input.hidden = dialog.kind !== "prompt";
  if (wasHidden) input.value = dialog.value;
  cancel.hidden = dialog.kind === "alert";
  accept.textContent = isLeaving ? "Leave" : "OK";
  cancel.textContent = isLeaving ? "Stay" : "Cancel";
  for (const part of [input, accept, cancel]) part.disabled = !mayAnswer;
  if (mayAnswer && wasHidden) (input.hidden ? accept : input).focus();
}

export function watchDialog(send: (command: ControlCommand) => void): void {
  const answer = (accepts: boolean) => {
    const prompt = accepts && !input.hidden ? { prompt_text: input.value } : {};
    send({ type: "dialog", accept: accepts, ...prompt });
    panel.hidden = true;
    focusPage();
  };
  accept.addEventListener("click", () => answer(true));
  cancel.addEventListener("click", () => answer(false));
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !cancel.hidden && !cancel.disabled) answer(false);
    if (event.key === "Enter" && event.target === input) answer(true);
  });
}
