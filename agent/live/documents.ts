import type { Protocol } from "devtools-protocol";
import { ATTACH_FRAMES } from "../cdp/attach-frames.ts";
import type { Screen } from "./screen.ts";

const WORLD = "hype-live";
const NO_ATTACH = { autoAttach: false, waitForDebuggerOnStart: false, flatten: true };

/**
 * Asks each document of a tab, as if by a user's gesture, until one says something else than null. In a world of our own, in which no page
 * can stand in for what the browser offers.
 */
export async function askDocuments(screen: Screen, expression: string, signal: AbortSignal): Promise<unknown> {
  for await (const document of documents(screen, signal)) {
    try {
      const value = await askDocument(screen, document, expression, { userGesture: true }, signal);
      if (value !== null && value !== undefined) return value;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      // the document was replaced meanwhile
    }
  }
  return null;
}

type Document = { sessionId: string; frameId: string };

/** Asks the uppermost document of a tab, without a user's gesture. @throws CommandRefused when it is replaced meanwhile */
export function askTop(screen: Screen, expression: string, signal: AbortSignal): Promise<unknown> {
  const top = { sessionId: screen.sessionId, frameId: screen.tab }; // the main frame of a tab has the tab's id (Target domain)
  return askDocument(screen, top, expression, {}, signal);
}

async function askDocument(
  screen: Screen,
  { sessionId, frameId }: Document,
  expression: string,
  more: { userGesture?: true },
  signal: AbortSignal,
): Promise<unknown> {
  const world = { frameId, worldName: WORLD };
  const { executionContextId } = await screen.send("Page.createIsolatedWorld", world, signal, sessionId);
  const question = { expression, contextId: executionContextId, returnByValue: true, ...more };
  return (await screen.send("Runtime.evaluate", question, signal, sessionId)).result.value;
}

/** Every document of the tab, also those in processes of their own. */
async function* documents(screen: Screen, signal: AbortSignal): AsyncGenerator<Document> {
  const sessions = [screen.sessionId];
  for (const sessionId of sessions) {
    const stop = screen.on(
      "Target.attachedToTarget",
      ({ sessionId: inner, targetInfo }) => targetInfo.type === "iframe" && sessions.push(inner),
      sessionId,
    );
    try {
      await screen.send("Target.setAutoAttach", ATTACH_FRAMES, signal, sessionId);
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
