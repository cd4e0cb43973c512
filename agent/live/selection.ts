import { askDocuments } from "./documents.ts";
import type { Screen } from "./screen.ts";

/** A page that does not answer has no selection to give. */
const PATIENCE_MS = 3_000;

/**
 * Runs in each document: in the one that has the focus it does what Ctrl+C or Ctrl+X would, and says what was copied. The page's own
 * copy handlers are heard, and passwords stay where they are, as in any browser. In a world of its own, so that the page cannot
 * stand in for `getSelection`.
 */
const COPY = `(command, limit) => {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  if (!document.hasFocus() || (active && (active.tagName === "IFRAME" || active.tagName === "FRAME"))) return null;
  const isField = active && (active.tagName === "INPUT" || active.tagName === "TEXTAREA");
  const selected = isField
    ? active.type === "password" || active.selectionStart == null ? "" : active.value.slice(active.selectionStart, active.selectionEnd)
    : String(getSelection());
  let copied = null;
  const listen = (event) => { if (event.defaultPrevented) copied = event.clipboardData.getData("text/plain"); };
  addEventListener(command, listen);
  document.execCommand(command);
  removeEventListener(command, listen);
  return (copied ?? selected).slice(0, limit);
}`;

/** Copies, or cuts, the selection of whichever document of a tab has the focus; "" where there is none. */
export async function copySelection(screen: Screen, cut: boolean, maxCharacters: number): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const copied = await askDocuments(
    screen,
    `(${COPY})(${JSON.stringify(cut ? "cut" : "copy")}, ${maxCharacters})`,
    signal,
  );
  return typeof copied === "string" ? copied : "";
}
