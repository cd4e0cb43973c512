import { HypeError, type Wait, type Waited } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { pause } from "./deadline.ts";
import { answerDialogs } from "./dialogs.ts";
import { DocumentGone, PageRefusal } from "./document.ts";
import { evaluateOnce } from "./evaluate.ts";
import { Glob } from "./glob.ts";
import { afterDeadline } from "./runaway.ts";
import type { TabSession } from "./tabs.ts";

/** The page's script looks at every frame it draws for so long, then the agent asks it anew: its document may be another. */
const SLICE_MS = 1_000;
const RETRY_MS = 50;
/** An address is told by events; some are lost. */
const LOOK_AGAIN_MS = 250;

type Dialog = { type: string; message: string };
type Outcome = { dialog?: Dialog };

/**
 * Waits until one thing is so. Only what happens from now on counts for dialogs.
 * @throws HypeError `operation_timeout` saying what was waited for | `invalid_request`
 */
export async function wait(
  tab: TabSession,
  request: Wait,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<Waited> {
  try {
    const { dialog = null } = (await waiter(request)(tab, request, signal, note)) ?? {};
    return { tab: tab.id, ...(await tab.info(signal)), dialog };
  } catch (thrown) {
    if (signal.aborted) {
      await afterDeadline(tab, signal);
      if (signal.reason instanceof HypeError && signal.reason.code === "operation_timeout")
        throw new HypeError(
          "operation_timeout",
          `${signal.reason.message}: ${described(request)}`,
          {},
          { cause: thrown },
        );
    }
    if (thrown instanceof CommandRefused)
      throw new HypeError("evaluation_failed", `Chromium refuses: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}

type Waiter = (
  tab: TabSession,
  request: Wait,
  signal: AbortSignal,
  note: (text: string) => void,
) => Promise<Outcome | void>;

function waiter(request: Wait): Waiter {
  if (request.url !== undefined) return untilUrl;
  if (request.function !== undefined) return untilTrue;
  if (request.dialog) return untilDialog;
  if (request.network_idle || request.load) return untilLoaded;
  return untilShown;
}

async function untilShown(tab: TabSession, request: Wait, signal: AbortSignal): Promise<void> {
  const { selector, state, text, text_gone, frame } = request;
  const wanted = JSON.parse(JSON.stringify({ selector, state, text, text_gone })) as { selector?: string };
  for (;;) {
    try {
      const document =
        frame === undefined
          ? await tab.frames.main(signal)
          : (await tab.frames.locate({ selector: ":root", frame }, signal)).document;
      if (await document.call("waitFor", [wanted, SLICE_MS], signal)) return;
    } catch (thrown) {
      if (!isLater(thrown)) throw thrown;
      await pause(RETRY_MS, signal);
    }
  }
}

async function untilUrl(tab: TabSession, request: Wait, signal: AbortSignal): Promise<void> {
  const matches = urlMatcher(request.url!);
  const release = tab.use("Page", signal);
  const stops: (() => void)[] = [];
  try {
    await tab.within(
      new Promise<void>((resolve) => {
        const look = () =>
          void tab
            .info(signal)
            .then(({ url }) => matches(url) && resolve())
            .catch(() => {}); // the wait itself ends with the tab
        for (const event of ["Page.navigatedWithinDocument", "Page.frameNavigated"] as const)
          stops.push(tab.on(event, look));
        // A renderer that learns of us only after its commit does not report that commit.
        const again = setInterval(look, LOOK_AGAIN_MS);
        stops.push(() => clearInterval(again));
        look();
      }),
      signal,
    );
  } finally {
    for (const stop of stops) stop();
    release();
  }
}

/** An address as it is, a glob (`*` within a part, `**` across parts, `?` one character) or `/pattern/flags`. */
export function urlMatcher(wanted: string): (url: string) => boolean {
  const pattern = /^\/(.*)\/([imsu]*)$/s.exec(wanted);
  try {
    if (pattern) {
      const expression = new RegExp(pattern[1]!, pattern[2]);
      return (url) => expression.test(url);
    }
  } catch {
    throw new HypeError("invalid_request", `url: ${wanted} is not a regular expression`);
  }
  if (!/[*?]/.test(wanted)) return (url) => url === wanted;
  const glob = Glob.ofAddresses(wanted);
  return (url) => url === wanted || glob.matches(url);
}

/** Asked by the page itself what the condition is: a function is called. What it gives, or what that comes to, counts. */
async function untilTrue(tab: TabSession, request: Wait, signal: AbortSignal): Promise<void> {
  const { frame, timeout_ms } = request;
  const asks = `async () => { const it = (${request.function!}\n); return Boolean(await (typeof it === "function" ? it() : it)) }`;
  const ask = frame === undefined ? { expression: `(${asks})()` } : { expression: asks, frame };
  for (;;) {
    try {
      if ((await evaluateOnce(tab, { ...ask, await_promise: true, timeout_ms }, signal)).value === true) return;
    } catch (thrown) {
      // A page in the middle of being replaced has no answer; a condition that throws will go on throwing.
      if (!isLater(thrown)) throw thrown;
    }
    await pause(RETRY_MS, signal);
  }
}

const isLater = (thrown: unknown) => thrown instanceof DocumentGone || (thrown instanceof PageRefusal && !thrown.final);

async function untilDialog(
  tab: TabSession,
  _request: Wait,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<Outcome> {
  let seen: ((dialog: Dialog) => void) | undefined;
  const stop = answerDialogs(tab, note, (dialog) => seen?.(dialog));
  const release = tab.use("Page", signal);
  try {
    return { dialog: await tab.wait<Dialog>(signal, (resolve) => (seen = resolve)) };
  } finally {
    stop();
    release();
  }
}

/** The present document's past events are told again when they are switched on. */
async function untilLoaded(tab: TabSession, request: Wait, signal: AbortSignal): Promise<void> {
  const name = request.network_idle ? "networkIdle" : request.load === "load" ? "load" : "DOMContentLoaded";
  const release = tab.use("Page", signal);
  let stop = () => {};
  try {
    await tab.wait<void>(signal, (resolve) => {
      stop = tab.on("Page.lifecycleEvent", (event) => event.frameId === tab.id && event.name === name && resolve());
      tab.send("Page.setLifecycleEventsEnabled", { enabled: true }, signal).catch(() => {}); // the tab's fault ends the wait
    });
  } finally {
    stop();
    release();
  }
}

const described = (request: Wait): string =>
  request.selector !== undefined
    ? `${request.selector} did not become ${request.state}`
    : request.text !== undefined
      ? `the text ${JSON.stringify(request.text)} did not appear`
      : request.text_gone !== undefined
        ? `the text ${JSON.stringify(request.text_gone)} did not go`
        : request.url !== undefined
          ? `the address did not become ${request.url}`
          : request.function !== undefined
            ? "the condition did not become true"
            : `no ${request.dialog ? "dialog opened" : request.network_idle ? "end of the page's requests" : `${request.load} event`}`;
