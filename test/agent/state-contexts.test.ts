import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import {
  ClearState,
  ExportState,
  GetStorage,
  ImportState,
  OnTab,
  OpenTab,
  SetStorage,
} from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";

setDefaultTimeout(20_000);
let agent: RunningAgent;
let site: StateSite;
let guest: Guest;
beforeAll(async () => {
  site = serveStateSite();
  agent = await startAgent();
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
}, 40_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await navigate(`${site.origin}/`);
  await guest.state.clear(v.parse(ClearState, {}));
});

const navigate = (url: string) => drive(guest).navigate(url);
const evaluate = (expression: string, more: object = {}) => drive(guest).evaluate(expression, more);
const exportState = (more: object = {}) => guest.state.export(v.parse(ExportState, more));
const importState = (state: unknown, more: object = {}) => guest.state.import(v.parse(ImportState, { state, ...more }));
const local = async (more: object = {}) =>
  (await guest.state.getStorage(v.parse(GetStorage, { kind: "local", ...more }))).items;

describe("isolated tabs are another browser", () => {
  const inIsolated = async (path = "/") =>
    (await guest.openTab(v.parse(OpenTab, { url: `${site.origin}${path}`, isolated: true }))).tab;
  const session = async (more: object = {}) =>
    (await guest.state.getStorage(v.parse(GetStorage, { kind: "session", ...more }))).items;
  const close = (tab: string) => guest.closeTab(v.parse(OnTab, { tab }));
  const user = (name: string) => [{ name: "user", value: name }];

  test("an export, an import and a clearing without a tab leave them alone", async () => {
    await evaluate("localStorage.user = 'alice'; 0");
    await navigate("about:blank");
    const tab = await inIsolated();
    try {
      await evaluate("localStorage.user = sessionStorage.user = 'bob'; 0", { tab });
      expect((await exportState()).origins).toEqual([{ origin: site.origin, localStorage: user("alice") }]);
      expect((await exportState({ tab })).origins).toEqual([{ origin: site.origin, localStorage: user("bob") }]);
      expect(await session()).toEqual([]);
      expect(await session({ tab })).toEqual([{ origin: site.origin, tab, entries: user("bob") }]);
      await refused(
        "tab_not_found",
        guest.state.setStorage(v.parse(SetStorage, { kind: "session", origin: site.origin, entries: user("carol") })),
      );
      await importState({ origins: [{ origin: site.origin, localStorage: user("carol") }] });
      expect(await local({ origins: [site.origin] })).toMatchObject([{ entries: user("carol") }]);
      await guest.state.clear(v.parse(ClearState, {}));
      expect(await local()).toEqual([]);
      expect(await evaluate("[localStorage.user, sessionStorage.user]", { tab })).toEqual(["bob", "bob"]);
    } finally {
      await close(tab);
    }
  });

  test("both show the site: each has its own, whichever came first", async () => {
    const tab = await inIsolated();
    try {
      await evaluate("localStorage.user = 'alice'; 0", { tab: await shown(tab) });
      await evaluate("localStorage.user = 'bob'; 0", { tab });
      await importState({ origins: [{ origin: site.origin, localStorage: user("carol") }] }, { tab });
      expect((await exportState()).origins).toEqual([{ origin: site.origin, localStorage: user("alice") }]);
      expect((await exportState({ tab })).origins).toEqual([{ origin: site.origin, localStorage: user("carol") }]);
    } finally {
      await close(tab);
    }
  });

  /** The tab of the browser's own context. */
  const shown = async (isolated: string) => (await guest.tabs()).items.find(({ id }) => id !== isolated)!.id;
});
