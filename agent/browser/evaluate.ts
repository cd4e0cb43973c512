import type { Protocol } from "devtools-protocol";
import { type Evaluate, type Evaluated, HypeError, richFault } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { DocumentGone, type FrameSession, gone, type PageDocument } from "./document.ts";
import type { Target } from "./frames.ts";
import { onPage, within } from "./page-call.ts";
import { FROM_RICH, richPrimitive, TO_RICH } from "./rich-values.ts";
import { MAX_VALUE_CHARS, measuredFunction, measuredScript } from "./script-form.ts";
import type { TabSession } from "./tabs.ts";
import { afterDeadline } from "./runaway.ts";

type Remote = Protocol.Runtime.RemoteObject;
type Answer = { result: Remote; exceptionDetails?: Protocol.Runtime.ExceptionDetails };
const OBJECT_GROUP = "hype-evaluate";
const TOP_LEVEL_AWAIT = /^SyntaxError: await is only valid/;
const MAX_DESCRIPTION_CHARS = 65_536;
const MAX_THROWN_CHARS = 4_000;

/** @throws HypeError `evaluation_failed` with the exception and its stack | `result_too_large` | `operation_timeout` | `invalid_request` */
export async function evaluate(tab: TabSession, request: Evaluate, signal: AbortSignal): Promise<Evaluated> {
  try {
    return await evaluateOnce(tab, request, signal);
  } catch (thrown) {
    if (signal.aborted) await afterDeadline(tab, signal);
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
  }
}

/** Without a word on what a deadline left behind. @throws DocumentGone | CommandRefused, and as evaluate */
export async function evaluateOnce(tab: TabSession, request: Evaluate, signal: AbortSignal): Promise<Evaluated> {
  try {
    const [session, { result, exceptionDetails }] = isCall(request)
      ? await callIn(tab, request, signal)
      : [tab, await run(tab, request, signal)];
    if (exceptionDetails) throw await thrownBy(session, exceptionDetails, signal);
    const value = request.encoding === "rich" ? richOf : valueOf;
    return { tab: tab.id, type: result.type, ...(await value(session, result, signal)) };
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
  { expression, args = [], await_promise, encoding, ...target }: Evaluate,
  signal: AbortSignal,
): Promise<[FrameSession, Answer]> {
  const isRich = encoding === "rich" && args.length > 0;
  const fault = isRich ? args.map(richFaultIn).find(Boolean) : undefined;
  if (fault) throw new HypeError("invalid_request", fault);
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
  const given = isRich ? [{ value: JSON.stringify(args) }] : args.map((value) => ({ value }));
  const all = [...(element ? [{ objectId }] : []), ...given];
  const answer = await gone(
    session.send(
      "Runtime.callFunctionOn",
      {
        objectId,
        functionDeclaration: measuredFunction(expression, all.length, await_promise, isRich ? FROM_RICH : undefined),
        arguments: all,
        awaitPromise: await_promise,
        userGesture: true,
        objectGroup: OBJECT_GROUP,
      },
      signal,
    ),
  );
  return [session, answer];
}

const richFaultIn = (value: unknown, index: number) => {
  const fault = richFault(value);
  return fault === null ? null : `args.${index}: ${fault}`;
};

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

async function run(tab: TabSession, request: Evaluate, signal: AbortSignal): Promise<Answer> {
  const script = measuredScript(request.expression, request.await_promise);
  const params = { ...script, awaitPromise: request.await_promise, userGesture: true, objectGroup: OBJECT_GROUP };
  const first = await gone(tab.send("Runtime.evaluate", params, signal));
  // A syntax error means nothing ran yet, so it is safe to try again as a console would: there `await` may stand at the top.
  const again = !script.replMode && TOP_LEVEL_AWAIT.test(first.exceptionDetails?.exception?.description ?? "");
  return again ? gone(tab.send("Runtime.evaluate", { ...params, replMode: true }, signal)) : first;
}

type Value = { value: unknown; description: string | null };

async function valueOf(session: FrameSession, remote: Remote, signal: AbortSignal): Promise<Value> {
  const description = descriptionOf(remote);
  mustFit(lengthOf(remote));
  if (remote.type === "function" || remote.type === "symbol") return { value: null, description };
  if (!remote.objectId) return { value: remote.value ?? null, description };
  const { result, exceptionDetails } = await written(session, remote.objectId, TO_JSON, MAX_VALUE_CHARS, signal);
  // A throw is JSON's way to say it has no word for it: a cycle, a bigint inside, another origin's window.
  return { value: exceptionDetails || result.type === "undefined" ? null : parsed(result), description };
}

async function richOf(session: FrameSession, remote: Remote, signal: AbortSignal): Promise<Value> {
  const description = descriptionOf(remote);
  mustFit(lengthOf(remote));
  if (remote.type !== "object" || !remote.objectId) return { value: richPrimitive(remote), description };
  const { result, exceptionDetails } = await written(session, remote.objectId, TO_RICH, MAX_VALUE_CHARS, signal);
  if (exceptionDetails) throw new HypeError("evaluation_failed", `the value: ${wordsOf(exceptionDetails)}`);
  return { value: parsed(result), description };
}

const descriptionOf = ({ unserializableValue, description }: Remote): string | null =>
  unserializableValue ?? description?.slice(0, MAX_DESCRIPTION_CHARS) ?? null;

const written = (
  session: FrameSession,
  objectId: string,
  functionDeclaration: string,
  limit: number,
  signal: AbortSignal,
): Promise<Answer> =>
  gone(
    session.send(
      "Runtime.callFunctionOn",
      { objectId, functionDeclaration, arguments: [{ value: limit }], returnByValue: true },
      signal,
    ),
  );

/** @throws HypeError `evaluation_failed` where it is no JSON, `result_too_large` */
function parsed({ value }: Remote): unknown {
  if (typeof value === "number") mustFit(value);
  try {
    if (typeof value === "string" && value.length <= MAX_VALUE_CHARS) return JSON.parse(value);
  } catch {} // the page's own, and said below
  throw new HypeError("evaluation_failed", "the page replaced JSON.stringify: the value cannot be read");
}

/**
 * Measured in the page, so that a giant never travels; dates and the like become what JSON makes of them. A `toJSON` that a script
 * gave to all arrays and objects, as old libraries do, is out of the way meanwhile.
 */
const TO_JSON = `function (limit) {
  const hidden = [];
  if ([].toJSON || {}.toJSON || "".toJSON)
    for (const value of [[], {}, "", 0, true]) {
      const proto = Object.getPrototypeOf(value);
      const found = Object.getOwnPropertyDescriptor(proto, "toJSON");
      if (found && delete proto.toJSON) hidden.push([proto, found]);
    }
  try {
    const text = JSON.stringify(this);
    if (text === undefined) return text;
    return typeof text !== "string" ? false : text.length > limit ? text.length : text;
  } finally {
    for (const [proto, found] of hidden) Object.defineProperty(proto, "toJSON", found);
  }
}`;

/** Of a string that stayed in the page; 0 where the value is anything else. */
function lengthOf({ type, subtype, description, value }: Remote): number {
  if (typeof value === "string") return value.length;
  const length = type === "object" && subtype === "array" && /^Array\((\d+)\)$/.exec(description ?? "")?.[1];
  return length && Number(length) > MAX_VALUE_CHARS ? Number(length) : 0;
}

function mustFit(chars: number): void {
  if (chars > MAX_VALUE_CHARS)
    throw new HypeError("result_too_large", `the value has ${chars} characters, the limit is ${MAX_VALUE_CHARS}`);
}

/** What was thrown, in words: of an object that is no error, its value. */
async function thrownBy(
  session: FrameSession,
  details: Protocol.Runtime.ExceptionDetails,
  signal: AbortSignal,
): Promise<HypeError> {
  const { objectId, subtype, className = "Object" } = details.exception ?? {};
  const isPlain = objectId !== undefined && subtype !== "error";
  const { result } = isPlain ? await written(session, objectId, THROWN, MAX_THROWN_CHARS, signal) : {};
  const text = typeof result?.value === "string" ? result.value : null;
  const named = className === "Object" || className === "Array" ? "" : `${className} `;
  return new HypeError("evaluation_failed", wordsOf(details, text === null ? null : named + text));
}

const THROWN = `function (limit) {
  try { const text = JSON.stringify(this); return typeof text === "string" ? text.slice(0, limit) : null } catch { return null }
}`;

function wordsOf({ text, exception }: Protocol.Runtime.ExceptionDetails, value: string | null = null): string {
  const thrown =
    value ?? exception?.description ?? (exception && "value" in exception ? JSON.stringify(exception.value) : "");
  // Chromium repeats the error's own words in `text` when a promise was rejected.
  const prefix = /^Uncaught(?: \(in promise\))?/.exec(text)?.[0] ?? text;
  return `${prefix}${thrown ? `: ${thrown}` : ""}`.slice(0, MAX_DESCRIPTION_CHARS);
}
