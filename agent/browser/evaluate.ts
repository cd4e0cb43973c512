import type { Protocol } from "devtools-protocol";
import { type Evaluate, type Evaluated, HypeError } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { TabSession } from "./tabs.ts";
import { endRunawayScript } from "./runaway.ts";

/** Largest value one evaluation returns, characters of JSON. */
export const MAX_VALUE_CHARS = 16 * 1024 * 1024;
const OBJECT_GROUP = "hype-evaluate";
const TOP_LEVEL_AWAIT = /^SyntaxError: await is only valid/;

/** @throws HypeError `evaluation_failed` with the exception and its stack | `result_too_large` | `operation_timeout` */
export async function evaluate(tab: TabSession, request: Evaluate, signal: AbortSignal): Promise<Evaluated> {
  try {
    const remote = await run(tab, request, signal);
    return { tab: tab.id, type: remote.type, ...(await valueOf(tab, remote, signal)) };
  } catch (thrown) {
    if (signal.aborted) await endRunawayScript(tab);
    if (thrown instanceof CommandRefused)
      throw new HypeError("evaluation_failed", thrown.detail, {}, { cause: thrown });
    throw thrown;
  } finally {
    // Nobody waits for it: it only lets the page's garbage go.
    tab.send("Runtime.releaseObjectGroup", { objectGroup: OBJECT_GROUP }).catch(() => {});
  }
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
  tab: TabSession,
  remote: Protocol.Runtime.RemoteObject,
  signal: AbortSignal,
): Promise<{ value: unknown; description: string | null }> {
  const description = remote.unserializableValue ?? remote.description?.slice(0, 65_536) ?? null;
  if (remote.type === "function" || remote.type === "symbol") return { value: null, description };
  if (!remote.objectId) {
    if (typeof remote.value === "string") mustFit(remote.value.length);
    return { value: remote.value ?? null, description };
  }
  const { result, exceptionDetails } = await tab.send(
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
