import type * as v from "valibot";
import {
  AnswerDialog,
  ExportHar,
  GetBody,
  ListEntries,
  type RequestEntry,
  SetDialogPolicy,
  StartObserving,
  StopObserving,
} from "../../src/contract/index.ts";
import { withDeadline } from "../browser/deadline.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { toHar } from "../observe/har.ts";
import type { Journal } from "../observe/ring.ts";
import { streamEntries } from "../observe/stream.ts";
import type { OverlayParts } from "../overlay/parts.ts";
import type { Routes } from "./door.ts";
import { type Call, check, json, type Reply } from "./http.ts";
import { within } from "./overlay-routes.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** `/v1/browser/*` for what was seen: one line an operation, the work stands in agent/observe/. */
export function observeRoutes(browser: Browser, { observer, dialogs, checkTab }: OverlayParts): Routes {
  const operation =
    <R extends { tab?: string | undefined; timeout_ms: number }>(
      what: string,
      schema: v.GenericSchema<unknown, R>,
      act: (request: R, signal: AbortSignal) => unknown,
      reply: (result: unknown) => Reply = (result) => json(result ?? {}),
    ) =>
    async (call: Call): Promise<Reply> => {
      const request = await call.body(schema);
      return withDeadline(what, request.timeout_ms, call.signal, async (signal) =>
        reply(await within(signal, Promise.resolve(act(request, signal)))),
      );
    };
  const har = ({ tab, bodies }: ExportHar, signal: AbortSignal) => {
    const { items } = observer.journal.list({ kinds: ["request"], tab }, 0, ALL);
    const read = (id: string, of: "request" | "response") =>
      observer.body({ id, of }, signal).catch(() => {
        signal.throwIfAborted();
        return null; // it is no longer held
      });
    return toHar(items as RequestEntry[], browser.runningOrNull?.version ?? "", bodies ? read : null);
  };
  return {
    "POST /v1/browser/start-observing": operation("start-observing", StartObserving, async ({ kinds, tab }, signal) => {
      await checkTab(tab, signal);
      return observer.start(kinds, tab);
    }),
    "POST /v1/browser/stop-observing": operation("stop-observing", StopObserving, ({ kinds, tab }) =>
      observer.stop(kinds, tab),
    ),
    "POST /v1/browser/list-entries": operation("list-entries", ListEntries, ({ kinds, tab, after, limit }) =>
      told(observer.journal.list({ kinds, tab }, after, limit)),
    ),
    "POST /v1/browser/get-body": operation("get-body", GetBody, observer.body.bind(observer), (bytes) => ({
      type: "application/octet-stream",
      body: bytes as Buffer,
    })),
    "POST /v1/browser/export-har": operation("export-har", ExportHar, har),
    "POST /v1/browser/set-dialog-policy": operation("set-dialog-policy", SetDialogPolicy, async (request, signal) => {
      await checkTab(request.tab, signal);
      await dialogs.set(request);
    }),
    "POST /v1/browser/answer-dialog": operation("answer-dialog", AnswerDialog, (request) => dialogs.answer(request)),
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
