import type { ControlCommand } from "../contract/index.ts";
import { element } from "./element.ts";
import { focusPage } from "./focus.ts";

const url = element<HTMLInputElement>("url");
const reload = element<HTMLButtonElement>("reload");
const buttons = ["back", "forward"] as const;

/** Schemes that need no `//`, and hosts that seldom have a certificate. */
const OPAQUE = /^(about|blob|chrome|data|file|javascript|view-source):/i;
const LOCAL = /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\])([:/]|$)/i;

/** What a person types becomes a URL. It is only ever sent to the VM: this page goes nowhere. */
export function typedUrl(typed: string): string {
  const text = typed.trim();
  if (text.includes("://") || OPAQUE.test(text)) return text;
  return `${LOCAL.test(text) ? "http" : "https"}://${text}`;
}

/** @param mayAct this page has control */
export function showAddress(address: string, isLoading: boolean, mayAct: boolean): void {
  if (document.activeElement !== url || !mayAct) url.value = address;
  url.readOnly = !mayAct;
  url.dataset.address = address;
  reload.classList.toggle("loading", isLoading);
  reload.setAttribute("aria-label", isLoading ? "Stop" : "Reload");
  reload.title = isLoading ? "Stop" : "Reload";
  for (const name of [...buttons, "reload", "fit", "tab-open"]) element<HTMLButtonElement>(name).disabled = !mayAct;
}

export function watchAddress(send: (command: ControlCommand) => void): void {
  element("bar").addEventListener("submit", (event) => {
    event.preventDefault();
    if (url.readOnly || !url.value.trim()) return;
    send({ type: "navigate", url: typedUrl(url.value) });
    focusPage();
  });
  url.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    url.value = url.dataset.address ?? "";
    url.select();
  });
  url.addEventListener("focus", () => url.select());
  for (const direction of buttons)
    element(direction).addEventListener("click", () => send({ type: "history", direction }));
  reload.addEventListener("click", () =>
    send({ type: "history", direction: reload.classList.contains("loading") ? "stop" : "reload" }),
  );
  element("tab-open").addEventListener("click", () => {
    send({ type: "tabs", action: "open" });
    url.focus();
  });
}
