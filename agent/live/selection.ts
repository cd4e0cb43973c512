import type { Protocol } from "devtools-protocol";
import type { Screen } from "./screen.ts";

/** A page that does not answer has no selection to give. */
const PATIENCE_MS = 3_000;
const WORLD = "hype-live";
const NO_ATTACH = { autoAttach: false, waitForDebuggerOnStart: false, flatten: true };
const ATTACH = {
  ...NO_ATTACH,
  autoAttach: true,
  filter: [{ type: "iframe" }, { exclude: true }],
};

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
  const expression = `(${COPY})(${JSON.stringify(cut ? "cut" : "copy")}, ${maxCharacters})`;
  for await (const { sessionId, frameId } of documents(screen, signal)) {
    try {
      const { executionContextId } = await screen.send(
        "Page.createIsolatedWorld",
        { frameId, worldName: WORLD },
        signal,
        sessionId,
      );
      const { result } = await screen.send(
        "Runtime.evaluate",
        { expression, contextId: executionContextId, returnByValue: true, userGesture: true },
        signal,
        sessionId,
      );
      if (typeof result.value === "string") return result.value;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      // the document was replaced meanwhile: it has no selection any more
    }
  }
  return "";
}

/** Every document of the tab, also those in processes of their own. */
async function* documents(screen: Screen, signal: AbortSignal): AsyncGenerator<{ sessionId: string; frameId: string }> {
  const sessions = [screen.sessionId];
  for (const sessionId of sessions) {
    const stop = screen.on(
      "Target.attachedToTarget",
      ({ sessionId: inner, targetInfo }) => targetInfo.type === "iframe" && sessions.push(inner),
      sessionId,
    );
    try {
      await screen.send("Target.setAutoAttach", ATTACH, signal, sessionId);
      const { frameTree } = await screen.send("Page.getFrameTree", undefined, signal, sessionId);
      for (const frameId of frameIds(frameTree)) yield { sessionId, frameId };
    } finally {
      stop();
      void screen.send("Target.setAutoAttach", NO_ATTACH, undefined, sessionId).catch(() => {}); // it is gone
    }
  }
}

function frameIds({ frame, childFrames = [] }: Protocol.Page.FrameTree): string[] {
  return [frame.id, ...childFrames.flatMap(frameIds)];
}
