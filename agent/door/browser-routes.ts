import * as v from "valibot";
import { Content, Evaluate, Navigate, Screenshot } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { content } from "../browser/content.ts";
import { withDeadline } from "../browser/deadline.ts";
import { evaluate } from "../browser/evaluate.ts";
import { navigate } from "../browser/navigate.ts";
import { screenshot } from "../browser/screenshot.ts";
import type { TabSession } from "../browser/tabs.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { type Call, json, type Reply } from "./http.ts";
import type { Routes } from "./door.ts";

const LIST_TIMEOUT_MS = 10_000;

/** `/v1/browser/*`: one line an operation, the work stands in agent/browser/. */
export function browserRoutes(browser: Browser, log: Log): Routes {
  type Request = { tab?: string | undefined; timeout_ms: number };
  /** Body under its schema, the tab it names, the deadline it asks for. */
  const operation =
    <R extends Request, T>(
      what: string,
      schema: v.GenericSchema<unknown, R>,
      act: (tab: TabSession, request: R, signal: AbortSignal) => Promise<T>,
      reply: (result: T, request: R) => Reply = (result) => json(result),
    ) =>
    async (call: Call): Promise<Reply> => {
      const request = await call.body(schema);
      const result = await withDeadline(what, request.timeout_ms, call.signal, async (signal) =>
        act(await browser.running.tabs.use(request.tab, signal), request, signal),
      );
      return reply(result, request);
    };

  return {
    "POST /v1/browser/navigate": operation("navigate", Navigate, (tab, request, signal) =>
      navigate(tab, request, signal, (text) => log.info(text)),
    ),
    "POST /v1/browser/evaluate": operation("evaluate", Evaluate, evaluate),
    "POST /v1/browser/content": operation("content", Content, content),
    "POST /v1/browser/screenshot": operation("screenshot", Screenshot, screenshot, (bytes, { format }) => ({
      type: `image/${format}`,
      body: bytes,
    })),
    "GET /v1/browser/tabs": async ({ signal }) =>
      json(await withDeadline("tabs", LIST_TIMEOUT_MS, signal, (within) => browser.running.tabs.list(within))),
  };
}
