import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createLog } from "../../src/log/log.ts";
import type { House } from "../../src/tools/house.ts";
import { runTool } from "../../src/tools/run.ts";
import { TabMemory } from "../../src/tools/tab-memory.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";

setDefaultTimeout(60_000); // a real Chromium

const log = createLog({ level: "error", write: () => {} });
const IDLE_MS = 1_000_000;
let browsing: Browsing;
beforeAll(async () => {
  browsing = await startBrowsing();
});
afterAll(async () => await browsing[Symbol.asyncDispose]());

/** A VM of its own over the one browser, and callers on it; closed tabs are waited for, not guessed. */
function place(id: string) {
  const { guest } = browsing;
  const control: { holder: "human" | null } = { holder: null };
  const closings: Promise<unknown>[] = [];
  const watched = new Proxy(guest, {
    get: (of, name) => {
      const value = Reflect.get(of, name) as unknown;
      if (name !== "closeTab") return typeof value === "function" ? value.bind(of) : value;
      return (...call: Parameters<typeof guest.closeTab>) => {
        const closing = guest.closeTab(...call);
        closings.push(closing);
        return closing;
      };
    },
  });
  const house = {
    get: () => ({ id, name: "demo", generation: 1, status: "running", control: control.holder && { ...control } }),
    onBrowser: (_ref: string, caller: AbortSignal, work: (...on: [typeof watched, AbortSignal]) => unknown) =>
      work(watched, caller),
  } as unknown as House;
  const memory = new TabMemory(IDLE_MS);
  return {
    memory,
    control,
    call: async (caller: string, name: string, args: object = {}) => {
      const outcome = await runTool(
        name,
        { vm: "demo", ...args },
        {
          house,
          caller: { id: caller, scope: "admin" },
          tabs: memory.of(caller),
          signal: new AbortController().signal,
          progress: () => {},
        },
        { presetVm: null, log },
      );
      if (outcome.kind === "ask") throw new Error("asked");
      return outcome.kind === "done" ? outcome.result.text : outcome.text;
    },
    /** @returns how many tabs there are once all that close are closed */
    async tabs(): Promise<number> {
      while (closings.length > 0) await Promise.allSettled(closings.splice(0));
      return (await guest.tabs()).items.length;
    },
  };
}
const tabOf = (text: string): string => /^- Tab: (\S+)$/m.exec(text)?.[1] ?? text;

test("callers that go away leave no tabs behind, however many there were", async () => {
  const { memory, call, tabs } = place("a");
  const before = await tabs();
  const callers = Array.from({ length: 5 }, (_, at) => `c${at}`);
  const used = await Promise.all(callers.map(async (caller) => tabOf(await call(caller, "browser_snapshot"))));
  expect(new Set(used).size).toBe(5);
  expect(await tabs()).toBe(before + 4); // the first took the one that was free
  memory.leave("c0");
  memory.leave("c1");
  memory.leave("c2");
  const left = await tabs();
  expect(left).toBeGreaterThanOrEqual(before + 2);
  expect(left).toBeLessThanOrEqual(before + 3);
  memory.sweep(performance.now() + 2 * IDLE_MS); // the others never said good-bye
  expect(await tabs()).toBe(before);
  expect(tabOf(await call("c4", "browser_snapshot"))).not.toContain("Error"); // and may come back
  memory.leave("c4");
  expect(await tabs()).toBe(before);
});

test("tabs that a caller opened itself close when it leaves, but for those others have taken up", async () => {
  const { memory, call, tabs } = place("e");
  const before = await tabs();
  for (const [name, args] of [
    ["browser_tabs", { action: "new" }],
    ["browser_tabs", { action: "new", url: "about:blank#second" }],
    ["browser_tab_new", {}], // its older name
  ] as const)
    await call("a", name, args);
  const last = tabOf(await call("a", "browser_snapshot"));
  expect(await tabs()).toBe(before + 3);
  expect(tabOf(await call("b", "browser_snapshot", { tab: last }))).toBe(last);
  memory.leave("a");
  expect(await tabs()).toBe(before + 1);
  expect(tabOf(await call("b", "browser_snapshot"))).toBe(last);
  memory.leave("b");
  expect(await tabs()).toBe(before);
  await call("c", "browser_tabs", { action: "new" });
  await call("c", "browser_close");
  memory.leave("c");
  expect(await tabs()).toBe(before);
});

test("under a person's hands nothing is closed", async () => {
  const { memory, call, control, tabs } = place("b");
  const before = await tabs();
  await call("a", "browser_snapshot");
  await call("b", "browser_snapshot");
  control.holder = "human";
  memory.leave("b");
  expect(await tabs()).toBe(before + 1);
  control.holder = null;
  memory.sweep(performance.now() + 2 * IDLE_MS);
  expect(await tabs()).toBe(before);
});

test("a slip of the pen costs nobody its tab, whether the tab named never was or is gone", async () => {
  const { memory, call } = place("c");
  const shown = tabOf(await call("a", "browser_snapshot"));
  await call("a", "browser_tabs", { action: "new" });
  const mine = tabOf(await call("a", "browser_snapshot"));
  await browsing.guest.activateTab({ tab: shown, timeout_ms: 10_000 }); // what a caller without a tab would take
  expect(await call("a", "browser_snapshot", { tab: "nonsense" })).toContain("tab_not_found");
  expect(tabOf(await call("a", "browser_snapshot"))).toBe(mine);
  const other = tabOf(await call("b", "browser_snapshot"));
  await browsing.guest.closeTab({ tab: other, timeout_ms: 10_000 });
  expect(await call("a", "browser_snapshot", { tab: other })).toContain("tab_not_found");
  expect(tabOf(await call("a", "browser_snapshot"))).toBe(mine);
  await call("a", "browser_close");
  memory.leave("b");
});

test("a tab that is named is the caller's from then on, and stays as long as it does", async () => {
  const { memory, call, tabs } = place("d");
  const before = await tabs();
  await call("a", "browser_snapshot");
  const other = tabOf(await call("b", "browser_snapshot"));
  expect(tabOf(await call("a", "browser_snapshot", { tab: other }))).toBe(other);
  memory.leave("b");
  expect(await tabs()).toBe(before + 1);
  expect(tabOf(await call("a", "browser_snapshot"))).toBe(other);
  memory.leave("a");
  expect(await tabs()).toBe(before);
});
