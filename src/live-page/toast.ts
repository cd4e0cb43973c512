import { brief, element } from "./element.ts";

const SHOWN_MS = 5_000;
const toast = element("toast");
let timer: ReturnType<typeof setTimeout> | undefined;

/** One line for a while, for eyes and for screen readers. */
export function say(words: string): void {
  toast.textContent = brief(words, 300);
  toast.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => toast.classList.remove("shown"), SHOWN_MS);
}
