import { element } from "./element.ts";

/** A page in the VM may not write to this machine's clipboard by itself: only what was asked for within this time counts, milliseconds. */
const ASKED_MS = 5_000;
let askedAt = -Infinity;

/** The person pressed the keys for it. */
export const expectCopy = (): void => void (askedAt = performance.now());

/** Puts text of the VM on this machine's clipboard; where the browser refuses, the text is shown for the person to copy. */
export async function takeCopy(text: string): Promise<void> {
  if (performance.now() - askedAt > ASKED_MS || text === "") return;
  askedAt = -Infinity;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    show(text); // no secure context, or not allowed
  }
}

const panel = element("copied");
const field = element<HTMLTextAreaElement>("copied-text");

function show(text: string): void {
  field.value = text;
  panel.hidden = false;
  field.select();
}
const close = () => {
  field.value = "";
  panel.hidden = true;
};
element("copied-close").addEventListener("click", close);
element("copied-copy").addEventListener("click", () => {
  field.select();
  if (document.execCommand("copy")) close();
});
panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
