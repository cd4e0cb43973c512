import type * as v from "valibot";
import {
  AnswerDialog,
  ExportHar,
  GetBody,
  ListEntries,
  SetDialogPolicy,
  StartObserving,
  StopObserving,
} from "../../src/contract/index.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { toHar } from "../observe/har.ts";
import type { Journal } from "../observe/journal.ts";
import { streamEntries } from "../observe/stream.ts";
import type { OverlayParts } from "../overlay/parts.ts";
import type { Routes } from "./door.ts";
import { type Call, check, type Handler, type Reply } from "./http.ts";
import { operation, type Timed } from "./operation.ts";
import { within } from "./overlay-routes.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** `/v1/browser/*` for what was seen: one line an operation, the work stands in agent/observe/. */
export function observeRoutes(browser: Browser, { observer, dialogs, checkTab }: OverlayParts): Routes {
  const observing = <R extends Timed>(
    what: string,
    schema: v.GenericSchema<unknown, R>,
    act: (request: R, signal: AbortSignal) => unknown,
    reply?: (result: unknown) => Reply,
  ): Handler =>
    operation(what, schema, (request, signal) => within(signal, Promise.resolve(act(request, signal))), reply);
  const har = ({ tab, bodies }: ExportHar, signal: AbortSignal) => {
    const { items } = observer.journal.list({ kinds: ["request", "websocket"], tab }, 0, ALL);
    const requests = items.filter((entry) => entry.kind === "request");
    const sockets = items.filter((entry) => entry.kind === "websocket");
    const read = (id: string, of: "request" | "response") =>
      observer.body({ id, of }, signal).catch(() => {
        signal.throwIfAborted();
        return null; // it is no longer held
      });
    return toHar({ requests, sockets }, browser.runningOrNull?.version ?? "", bodies ? read : null);
  };
  return {
    "POST /v1/browser/start-observing": observing("start-observing", StartObserving, async ({ kinds, tab }, signal) => {
      await checkTab(tab, signal);
      return observer.start(kinds, tab);
    }),
    "POST /v1/browser/stop-observing": observing("stop-observing", StopObserving, ({ kinds, tab }) =>
      observer.stop(kinds, tab),
    ),
    "POST /v1/browser/list-entries": observing("list-entries", ListEntries, ({ kinds, tab, after, limit }) =>
      told(observer.journal.list({ kinds, tab }, after, limit)),
    ),
    "POST /v1/browser/get-body": observing("get-body", GetBody, observer.body.bind(observer), (bytes) => ({
      type: "application/octet-stream",
      body: bytes as Buffer,
    })),
    "POST /v1/browser/export-har": observing("export-har", ExportHar, har),
    "POST /v1/browser/set-dialog-policy": observing("set-dialog-policy", SetDialogPolicy, async (request, signal) => {
      await checkTab(request.tab, signal);
      await dialogs.set(request);
    }),
    "POST /v1/browser/answer-dialog": observing("answer-dialog", AnswerDialog, (request) => dialogs.answer(request)),
    "GET /v1/browser/entries": (call) => stream(observer.journal, call),
  };
}

const told = ({ items, dropped, after }: ReturnType<Journal["list"]>) => ({ items, dropped, after });

/** `?after=`, `tab=` and `kinds=` by commas. */
function stream(journal: Journal, { url, response, signal }: Call): void {
  const given = Object.fromEntries(url.searchParams);
  const filter = check(ListEntries, {
    ...(given.kinds !== undefined && { kinds: given.kinds.split(",").filter(Boolean) }),
    ...(given.tab !== undefined && { tab: given.tab }),
    after: Number(given.after ?? 0),
  });
  streamEntries(journal, filter, filter.after, response, signal);
}
