import type * as v from "valibot";
import {
  ACTION_NAMES,
  type ActionName,
  actionSchema,
  Actions,
  Content,
  Evaluate,
  Find,
  Links,
  Navigate,
  OnTab,
  OpenTab,
  Pdf,
  Revisit,
  Screenshot,
  Snapshot,
  Wait,
} from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { act, actAll } from "../act/act.ts";
import { content } from "../browser/content.ts";
import { withDeadline } from "../browser/deadline.ts";
import { evaluate } from "../browser/evaluate.ts";
import { find, links, pdf } from "../browser/look.ts";
import { goInHistory, navigate, reload, stopLoading } from "../browser/navigate.ts";
import { screenshot } from "../browser/screenshot.ts";
import { snapshot } from "../browser/snapshot.ts";
import { activateTab, closeTab, openTab } from "../browser/tab-operations.ts";
import type { TabSession, Tabs } from "../browser/tabs.ts";
import { wait } from "../browser/wait.ts";
import type { Browser } from "../chromium/supervisor.ts";
import { type Handler, json, type Reply } from "./http.ts";
import type { Downloads } from "../downloads/downloads.ts";
import { waitForDownload } from "../downloads/wait.ts";
import type { Emulation } from "../emulation/emulation.ts";
import { located } from "../uploads/located.ts";
import type { Uploads } from "../uploads/uploads.ts";
import { operation, type Timed } from "./operation.ts";
import type { Routes } from "./door.ts";

const LIST_TIMEOUT_MS = 10_000;

/** `/v1/browser/*`: one line an operation, the work stands in agent/browser/ and agent/act/. */
export function browserRoutes(
  browser: Browser,
  files: { uploads: Uploads; downloads: Downloads },
  emulation: Emulation,
  log: Log,
): Routes {
  type Note = (text: string) => void;
  const note: Note = (text) => log.info(text);
  const onTabs = <R extends Timed, T>(
    what: string,
    schema: v.GenericSchema<unknown, R>,
    run: (tabs: Tabs, request: R, signal: AbortSignal, note: Note) => Promise<T>,
  ): Handler => operation(what, schema, (request, signal) => run(browser.running.tabs, request, signal, note));
  /** The same, on the tab that the body names. */
  const onTab = <R extends Timed & { tab?: string | undefined }, T>(
    what: string,
    schema: v.GenericSchema<unknown, R>,
    run: (tab: TabSession, request: R, signal: AbortSignal, note: Note) => Promise<T>,
    reply?: (result: T, request: R) => Reply,
  ): Handler =>
    operation(
      what,
      schema,
      async (request, signal) => run(await browser.running.tabs.use(request.tab, signal), request, signal, note),
      reply,
    );
  const action = <A extends ActionName>(name: A) => onTab(name, actionSchema(name), act(name));

  return {
    "POST /v1/browser/navigate": onTab("navigate", Navigate, navigate),
    "POST /v1/browser/reload": onTab("reload", Revisit, reload),
    "POST /v1/browser/back": onTab("back", Revisit, (...given) => goInHistory(-1, ...given)),
    "POST /v1/browser/forward": onTab("forward", Revisit, (...given) => goInHistory(1, ...given)),
    "POST /v1/browser/stop": onTab("stop", OnTab, stopLoading),
    "POST /v1/browser/evaluate": onTab("evaluate", Evaluate, evaluate),
    "POST /v1/browser/content": onTab("content", Content, content),
    "POST /v1/browser/snapshot": onTab("snapshot", Snapshot, snapshot),
    "POST /v1/browser/links": onTab("links", Links, links),
    "POST /v1/browser/find": onTab("find", Find, find),
    "POST /v1/browser/wait": onTab("wait", Wait, (tab, request, signal, note) =>
      request.download === undefined
        ? wait(tab, request, signal, note)
        : waitForDownload(files.downloads, tab, request, signal),
    ),
    "POST /v1/browser/pdf": onTab("pdf", Pdf, pdf, (bytes) => ({ type: "application/pdf", body: bytes })),
    "POST /v1/browser/screenshot": onTab(
      "screenshot",
      Screenshot,
      (tab, request, signal) => screenshot(tab, request, signal, emulation.holderOf(tab.id)),
      (bytes, { format }) => ({ type: `image/${format}`, body: bytes }),
    ),
    "POST /v1/browser/tabs": onTabs("open a tab", OpenTab, openTab),
    "POST /v1/browser/tabs/activate": onTabs("activate a tab", OnTab, activateTab),
    "POST /v1/browser/tabs/close": onTabs("close a tab", OnTab, closeTab),
    "GET /v1/browser/tabs": async ({ signal }) =>
      json(await withDeadline("tabs", LIST_TIMEOUT_MS, signal, (within) => browser.running.tabs.list(within))),
    "POST /v1/browser/actions": onTab("actions", Actions, (tab, { actions, ...rest }, ...call) => {
      const found = actions.map((one) => (one.action === "upload" ? located(files.uploads, one) : one));
      return actAll(tab, { actions: found, ...rest }, ...call);
    }),
    ...Object.fromEntries(ACTION_NAMES.map((name) => [`POST /v1/browser/act/${name}`, action(name)])),
    "POST /v1/browser/act/upload": onTab("upload", actionSchema("upload"), (tab, request, ...call) =>
      act("upload")(tab, located(files.uploads, request), ...call),
    ),
  };
}
