import type { Protocol } from "devtools-protocol";
import { type Evaluate, type Evaluated, HypeError } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { DocumentGone, type FrameSession, gone, type PageDocument } from "./document.ts";
import type { Target } from "./frames.ts";
import { onPage, within } from "./page-call.ts";
import type { TabSession } from "./tabs.ts";
import { endRunawayScript } from "./runaway.ts";

/** Largest value one evaluation returns, characters of JSON. */
export const MAX_VALUE_CHARS = 16 * 1024 * 1024;
const OBJECT_GROUP = "hype-evaluate";
const TOP_LEVEL_AWAIT = /^SyntaxError: await is only valid/;

/** @throws HypeError `evaluation_failed` with the exception and its stack | `result_too_large` | `operation_timeout` */
export async function evaluate(tab: TabSession, request: Evaluate, signal: AbortSignal): Promise<Evaluated> {
  try {
    const [session, remote] = isCall(request)
      ? await callIn(tab, request, signal)
      : [tab, await run(tab, request, signal)];
    return { tab: tab.id, type: remote.type, ...(await valueOf(session, remote, signal)) };
  } catch (thrown) {
    if (signal.aborted) await endRunawayScript(tab);
    if (thrown instanceof DocumentGone)
      throw new HypeError(
        "evaluation_failed",
        "the page was replaced by another while the script ran",
        {},
        { cause: thrown },
      );
    if (thrown instanceof CommandRefused)
      throw new HypeError("evaluation_failed", thrown.detail, {}, { cause: thrown });
    throw thrown;
  } finally {
    // Nobody waits for it: it only lets the page's garbage go.
    tab.send("Runtime.releaseObjectGroup", { objectGroup: OBJECT_GROUP }).catch(() => {});
  }
}

const isCall = ({ args, ref, selector, frame }: Evaluate) =>
  args !== undefined || ref !== undefined || selector !== undefined || frame !== undefined;

/** A function of the page's own world, called with the element (where one is named) and the arguments. */
async function callIn(
  tab: TabSession,
  { expression, args = [], await_promise, ...target }: Evaluate,
  signal: AbortSignal,
): Promise<[FrameSession, Protocol.Runtime.RemoteObject]> {
  const element = target.ref !== undefined || target.selector !== undefined;
  const { session, objectId } = await onPage(tab, signal, async () => {
    const { document, target: found } = await tab.frames.locate(
      element ? target : { ...target, selector: ":root" },
      signal,
    );
    return within(found, async () => ({
      session: document.session,
      objectId: await inPagesWorld(document, found, signal),
    }));
  });
  const { result, exceptionDetails } = await session.send(
    "Runtime.callFunctionOn",
    {
      objectId,
      functionDeclaration: expression,
      arguments: [...(element ? [{ objectId }] : []), ...args.map((value) => ({ value }))],
      awaitPromise: await_promise,
      userGesture: true,
      objectGroup: OBJECT_GROUP,
    },
    signal,
  );
  if (exceptionDetails) throw new HypeError("evaluation_failed", exceptionText(exceptionDetails));
  return [session, result];
}

/** The same element as the page's own scripts know it. */
async function inPagesWorld(document: PageDocument, target: Target, signal: AbortSignal): Promise<string> {
  const { session } = document;
  const objectId = await document.handle("element", [target], signal);
  const { node } = await gone(session.send("DOM.describeNode", { objectId }, signal));
  const { object } = await gone(
    session.send("DOM.resolveNode", { backendNodeId: node.backendNodeId, objectGroup: OBJECT_GROUP }, signal),
  );
  return object.objectId!;
}

async function run(tab: TabSession, request: Evaluate, signal: AbortSignal): Promise<Protocol.Runtime.RemoteObject> {
  const params = {
    expression: request.expression,
    awaitPromise: request.await_promise,
    userGesture: true,
    objectGroup: OBJECT_GROUP,
  };
  const first = await tab.send("Runtime.evaluate", params, signal);
  // A syntax error means nothing ran yet, so it is safe to try again as a console would: there `await` may stand at the top.
  const again = TOP_LEVEL_AWAIT.test(first.exceptionDetails?.exception?.description ?? "");
  const { result, exceptionDetails } = again
    ? await tab.send("Runtime.evaluate", { ...params, replMode: true }, signal)
    : first;
  if (exceptionDetails) throw new HypeError("evaluation_failed", exceptionText(exceptionDetails));
  return result;
}

async function valueOf(
  session: FrameSession,
  remote: Protocol.Runtime.RemoteObject,
  signal: AbortSignal,
): Promise<{ value: unknown; description: string | null }> {
  const description = remote.unserializableValue ?? remote.description?.slice(0, 65_536) ?? null;
  if (remote.type === "function" || remote.type === "symbol") return { value: null, description };
  if (!remote.objectId) {
    if (typeof remote.value === "string") mustFit(remote.value.length);
    return { value: remote.value ?? null, description };
  }
  const { result, exceptionDetails } = await session.send(
    "Runtime.callFunctionOn",
    {
      objectId: remote.objectId,
      functionDeclaration: TO_JSON,
      arguments: [{ value: MAX_VALUE_CHARS }],
      returnByValue: true,
    },
    signal,
  );
  if (typeof result.value === "number") mustFit(result.value);
  // A throw is JSON's way to say it has no word for it: a cycle, a bigint inside, another origin's window.
  const json = exceptionDetails ? "null" : String(result.value ?? "null");
  return { value: JSON.parse(json), description };
}

/** Measured in the page, so that a giant never travels; dates and the like become what JSON makes of them. */
const TO_JSON = `function (limit) {
  const text = JSON.stringify(this);
  return text !== undefined && text.length > limit ? text.length : text;
}`;

function mustFit(bytes: number): void {
  if (bytes > MAX_VALUE_CHARS)
    throw new HypeError("result_too_large", `the value has ${bytes} characters, the limit is ${MAX_VALUE_CHARS}`);
}

function exceptionText({ text, exception }: Protocol.Runtime.ExceptionDetails): string {
  const thrown = exception?.description ?? (exception && "value" in exception ? JSON.stringify(exception.value) : "");
  // Chromium repeats the error's own words in `text` when a promise was rejected.
  const prefix = /^Uncaught(?: \(in promise\))?/.exec(text)?.[0] ?? text;
  return `${prefix}${thrown ? `: ${thrown}` : ""}`.slice(0, 65_536);
}
