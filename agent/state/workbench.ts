import type { Protocol } from "devtools-protocol";
import { HypeError } from "../../src/contract/index.ts";
import type { Commands, Params, Result } from "../cdp/connection.ts";
import type { Context } from "./context.ts";
import { originOf } from "./origins.ts";
import type { OwnTargets } from "./own-targets.ts";

/** A tab that shows the origin and does not answer within this is passed by. */
const LIVE_TAB_MS = 2_000;
/** A tab without a document of its own closes at once. */
const CLOSE_MS = 5_000;
/** A tab of ours that went nowhere within this is told to navigate. */
const FOLLOW_MS = 10_000;
const WORLD = "hype-state";
/** What our scripts give is JSON, and never this. */
const ELSEWHERE = "elsewhere";

/** Runs a script of ours where an origin's storage is at hand. */
export type Bench = {
  /** @throws HypeError `evaluation_failed` */
  call(functionDeclaration: string, args?: unknown[]): Promise<string>;
  evaluate(expression: string): Promise<string>;
  send<M extends keyof Commands>(method: M, params: Params<M>): Promise<Result<M>>;
};

/**
 * One after the other, a bench in each origin: a tab that shows it, else a tab of our own whose document we answer ourselves, so
 * that no site is asked for anything. What fails for one origin is told to `failed`; the others go on.
 */
export async function atOrigins(
  context: Context,
  own: OwnTargets,
  origins: readonly string[],
  work: (origin: string, bench: Bench) => Promise<void>,
  failed: (origin: string, error: Error) => void,
): Promise<void> {
  if (origins.length === 0) return;
  const live = await liveTabs(context);
  await using hidden = new HiddenTab(context, own);
  for (const origin of origins) {
    try {
      const tab = live.get(origin);
      if (tab === undefined || !(await inLiveTab(context, tab, origin, work)))
        await work(origin, await hidden.open(origin));
    } catch (thrown) {
      if (context.signal.aborted) throw context.signal.reason;
      if (thrown instanceof HypeError && thrown.code === "browser_unavailable") throw thrown;
      failed(origin, thrown as Error);
    }
  }
}

/** Tabs of the context by the origin they show. */
export async function liveTabs(context: Context): Promise<Map<string, string>> {
  const { targetInfos } = await context.send("Target.getTargets", {});
  const found = new Map<string, string>();
  for (const { type, url, targetId, browserContextId } of targetInfos) {
    const origin = originOf(url);
    if (type === "page" && origin && browserContextId === context.id) found.set(origin, targetId);
  }
  return found;
}

/** A session of our own in a tab, for as long as `work` takes. */
export async function inTab<T>(
  context: Context,
  targetId: string,
  signal: AbortSignal,
  work: (bench: Bench, frame: Protocol.Page.Frame) => Promise<T>,
): Promise<T> {
  const { sessionId } = await context.connection.send("Target.attachToTarget", { targetId, flatten: true }, { signal });
  try {
    return await work(...(await benchIn(context, sessionId, signal)));
  } finally {
    context.connection.send("Target.detachFromTarget", { sessionId }).catch(() => {}); // the tab is gone
  }
}

async function inLiveTab(
  context: Context,
  targetId: string,
  origin: string,
  work: (origin: string, bench: Bench) => Promise<void>,
): Promise<boolean> {
  const patience = AbortSignal.any([context.signal, AbortSignal.timeout(LIVE_TAB_MS)]);
  const ready = Promise.withResolvers<void>();
  const run = inTab(context, targetId, context.signal, async (bench, frame) => {
    if (originOf(frame.url) !== origin || (await bench.evaluate("self.origin")) !== origin) return false;
    if (patience.aborted) return false;
    ready.resolve();
    await work(origin, bench);
    return true;
  });
  const lost = Promise.withResolvers<boolean>();
  const onAbort = () => lost.resolve(false);
  patience.addEventListener("abort", onAbort, { once: true });
  try {
    // Patience is for the page to answer at all; once it works, the operation's own deadline holds.
    const first = await Promise.race([run, ready.promise.then(() => null), lost.promise]);
    if (first === null) return await run;
    if (first === false) run.catch(() => {});
    return first;
  } catch (thrown) {
    if (context.signal.aborted || (thrown instanceof HypeError && thrown.code === "state_incomplete")) throw thrown;
    return false; // closed, crashed or navigated away meanwhile
  } finally {
    patience.removeEventListener("abort", onAbort);
  }
}

/** A tab of our own, made when it is first needed. */
export class HiddenTab implements AsyncDisposable {
  #targetId: string | undefined;
  #sessionId: string | undefined;
  /** It shows a document that we answered. */
  #isShown = false;
  #stop = () => {};

  constructor(
    private readonly context: Context,
    private readonly own: OwnTargets,
  ) {}

  /** A command for which any page of the context will do. */
  async send<M extends keyof Commands>(method: M, params: Params<M>): Promise<Result<M>> {
    const sessionId = (this.#sessionId ??= await this.#create());
    return this.context.connection.send(method, params, { sessionId, signal: this.context.signal });
  }

  /**
   * What is run looks by itself where it is: each way to the page and back, once per origin, is felt where the machine is emulated.
   * @throws HypeError `state_incomplete` when the browser goes elsewhere
   */
  async open(origin: string): Promise<Bench> {
    const { connection, signal } = this.context;
    const sessionId = (this.#sessionId ??= await this.#create());
    const elsewhere = (where: string) => {
      this.#isShown = false;
      return new HypeError("state_incomplete", `the browser opens ${where} instead`);
    };
    const url = `${origin}/`;
    if (!this.#isShown || !(await this.#follow(sessionId, url))) {
      const { errorText } = await connection.send("Page.navigate", { url }, { sessionId, signal });
      if (errorText) throw elsewhere(errorText);
    }
    this.#isShown = true;
    const bench = await benchOf(this.context, sessionId, this.#targetId!, signal); // a tab's own frame has the tab's id
    const evaluate = async (expression: string): Promise<string> => {
      const told = await bench.evaluate(`self.origin === ${JSON.stringify(origin)} ? (${expression}) : "${ELSEWHERE}"`);
      if (told === ELSEWHERE) throw elsewhere("another page");
      return told;
    };
    const call: Bench["call"] = (functionDeclaration, args = []) =>
      evaluate(`(${functionDeclaration})(${args.map((value) => JSON.stringify(value)).join(", ")})`);
    return { send: bench.send, evaluate, call };
  }

  /**
   * Goes on from a document of ours as a page does by itself: Chromium without site isolation keeps the renderer then. Told to navigate it
   * starts another, which is a third of what an origin costs (measured). @returns whether it arrived somewhere
   */
  async #follow(sessionId: string, url: string): Promise<boolean> {
    const { connection, signal } = this.context;
    let stop = () => {};
    const arrived = connection.wait<boolean>(
      { signal: AbortSignal.any([signal, AbortSignal.timeout(FOLLOW_MS)]) },
      (resolve) => {
        stop = connection.on("Page.frameNavigated", () => resolve(true), sessionId);
        const expression = `location.replace(${JSON.stringify(url)})`;
        connection.send("Runtime.evaluate", { expression }, { sessionId }).catch(() => resolve(false));
      },
    );
    try {
      return await arrived;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return false;
    } finally {
      stop();
    }
  }

  async #create(): Promise<string> {
    const { connection, signal, params } = this.context;
    // Hidden: it ends with our connection whatever happens to us.
    const create = connection.send("Target.createTarget", {
      url: "about:blank",
      hidden: true,
      background: true,
      ...params,
    });
    this.#targetId = await this.own.add(create);
    const attach = { targetId: this.#targetId, flatten: true };
    const { sessionId } = await connection.send("Target.attachToTarget", attach, { signal });
    this.#stop = connection.on("Fetch.requestPaused", (paused) => this.#answer(sessionId, paused), sessionId);
    // In effect when they are sent, before what is sent next; their answers come when a renderer has started, which the first site waits for anyway.
    const commands = [
      connection.send("Fetch.enable", { patterns: [{ urlPattern: "*" }] }, { sessionId, signal }),
      connection.send("Network.enable", { maxTotalBufferSize: 0, maxResourceBufferSize: 0 }, { sessionId, signal }),
      connection.send("Network.setBypassServiceWorker", { bypass: true }, { sessionId, signal }),
      connection.send("Page.enable", {}, { sessionId, signal }),
    ];
    for (const command of commands) command.catch(() => {}); // the tab is gone, which the next command says too
    return sessionId;
  }

  #answer(sessionId: string, { requestId, resourceType }: Protocol.Fetch.RequestPausedEvent): void {
    const { connection } = this.context;
    const answered =
      resourceType === "Document"
        ? connection.send(
            "Fetch.fulfillRequest",
            { requestId, responseCode: 200, responseHeaders: [{ name: "content-type", value: "text/html" }], body: "" },
            { sessionId },
          )
        : connection.send("Fetch.failRequest", { requestId, errorReason: "Aborted" }, { sessionId });
    answered.catch(() => {}); // the tab is gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    if (this.#targetId === undefined) return;
    const { connection } = this.context;
    const targetId = this.#targetId;
    let stop = () => {};
    // Until it is gone it stands in Chromium's lists.
    const gone = connection.wait<void>({ signal: AbortSignal.timeout(CLOSE_MS) }, (resolve) => {
      stop = connection.on("Target.targetDestroyed", (target) => target.targetId === targetId && resolve());
      connection.send("Target.closeTarget", { targetId }).catch(() => resolve());
    });
    await gone.catch(() => {});
    stop();
    this.own.delete(targetId);
  }
}

async function benchIn(
  context: Context,
  sessionId: string,
  signal: AbortSignal,
): Promise<[Bench, Protocol.Page.Frame]> {
  const { frameTree } = await context.connection.send("Page.getFrameTree", undefined, { sessionId, signal });
  return [await benchOf(context, sessionId, frameTree.frame.id, signal), frameTree.frame];
}

/** A world of our own in a frame, untouched by scripts of its page. */
async function benchOf(context: Context, sessionId: string, frameId: string, signal: AbortSignal) {
  const send: Bench["send"] = (method, params) => context.connection.send(method, params, { sessionId, signal });
  const { executionContextId } = await send("Page.createIsolatedWorld", { frameId, worldName: WORLD });
  return {
    send,
    evaluate: async (expression: string) =>
      textOf(await send("Runtime.evaluate", { expression, contextId: executionContextId, ...AWAITED })),
    call: async (functionDeclaration: string, args: unknown[] = []) =>
      textOf(
        await send("Runtime.callFunctionOn", {
          functionDeclaration,
          executionContextId,
          arguments: args.map((value) => ({ value })),
          ...AWAITED,
        }),
      ),
  };
}

const AWAITED = { awaitPromise: true, returnByValue: true };

/** @throws HypeError `evaluation_failed` */
function textOf({ result, exceptionDetails }: Protocol.Runtime.EvaluateResponse): string {
  if (!exceptionDetails) return String(result.value);
  const { exception, text } = exceptionDetails;
  throw new HypeError("evaluation_failed", (exception?.description ?? text).slice(0, 2048));
}
