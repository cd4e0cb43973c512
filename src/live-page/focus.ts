import { element } from "./element.ts";

/** What is typed goes to the page from now on. A phone's keyboard would come up with it: there the field is only left that was written in. */
export function focusPage(): void {
  if (!matchMedia("(pointer: coarse)").matches) element("keys").focus({ preventScroll: true });
  else if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
}
