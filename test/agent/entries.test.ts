import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { recordDownloads } from "../../agent/observe/downloads.ts";
import { Journal } from "../../agent/observe/journal.ts";
import {
  CancelDownload,
  type Download,
  type DownloadEntry,
  type Entry,
  GetDownload,
  ListEntries,
  type TabEntry,
} from "../../src/contract/index.ts";
import { refused } from "../lib/browsing.ts";
import { startStateWorld, type StateWorld } from "../lib/state-world.ts";

setDefaultTimeout(60_000);
let world: StateWorld;
let site: StateWorld["site"];
let guest: StateWorld["guest"];
let page: StateWorld["page"];
beforeAll(async () => {
  world = await startStateWorld();
  ({ site, guest, page } = world);
});
afterAll(() => world[Symbol.asyncDispose]());

const list = (more: object) => guest.observe.list(v.parse(ListEntries, more));
/** The first entry after `after` that is the wanted one, from the stream. */
async function until<E extends Entry>(
  kind: E["kind"],
  after: number,
  isWanted: (entry: E) => boolean,
  tab?: string,
): Promise<E> {
  const seen: unknown[] = [];
  const filter = { after, kinds: [kind], ...(tab !== undefined && { tab }) };
  for await (const entry of guest.observe.entries(filter, AbortSignal.timeout(30_000))) {
    if (entry.seq > after && isWanted(entry as E)) return entry as E;
    seen.push(entry);
  }
  throw new Error(`it never came; seen: ${JSON.stringify(seen)}`);
}
const tabEvent = (tab: string, event: TabEntry["event"], after = 0, title?: string) =>
  until<TabEntry>(
    "tab",
    after,
    (entry) => entry.tab === tab && entry.event === event && (title === undefined || entry.title === title),
  );
const now = async () => (await list({ after: Number.MAX_SAFE_INTEGER })).after;

describe("tabs, without being asked for", () => {
  test("the first one, where it goes, and the title that comes later under the same id", async () => {
    const { tab } = await page.navigate(`${site.origin}/`);
    expect(await tabEvent(tab, "opened")).toMatchObject({ kind: "tab", tab, opener: null });
    const went = await tabEvent(tab, "navigated", 0, "Home");
    expect(went).toMatchObject({ url: `${site.origin}/`, time: expect.any(Number) });
    await page.evaluate("document.title = 'Another'; 0");
    const renamed = await tabEvent(tab, "navigated", went.seq, "Another");
    expect(renamed).toMatchObject({ id: went.id, url: went.url });
    await page.evaluate("history.pushState(0, '', '/within#here'); 0");
    const within = await until<TabEntry>("tab", renamed.seq, ({ url }) => url === `${site.origin}/within#here`);
    expect(within).toMatchObject({ event: "navigated", tab });
    expect(within.id).not.toBe(went.id);
  });
  test("one that a page opens, that crashes, and that is closed", async () => {
    const { tab: opener } = await page.navigate(`${site.origin}/`);
    const since = await now();
    await page.evaluate("void window.open('/frame'); 0");
    const opened = await until<TabEntry>("tab", since, ({ event }) => event === "opened");
    expect(opened).toMatchObject({ opener });
    const tab = opened.tab!;
    await tabEvent(tab, "navigated", since, "framed");
    await refused("navigation_failed", page.navigate("chrome://crash", { tab }));
    const url = expect.any(String);
    const crashed = await tabEvent(tab, "crashed", opened.seq);
    expect(crashed).toMatchObject({ url, tab });
    await guest.closeTab({ tab, timeout_ms: 10_000 });
    expect(await tabEvent(tab, "closed", crashed.seq)).toMatchObject({ tab, opener });
    const its = (await list({ kinds: ["tab"], tab })).items as TabEntry[];
    expect(its.every((entry) => entry.tab === tab)).toBe(true);
    expect([...new Set(its.map(({ event }) => event))]).toEqual(["opened", "navigated", "crashed", "closed"]);
  });
  test("the agent's own tabs are nobody's: reading the state of other origins tells of none", async () => {
    await page.navigate(`${site.other}/`);
    await page.evaluate("localStorage.setItem('a', '1'); 0");
    await page.navigate(`${site.origin}/`);
    const since = await now();
    await page.post("export-state", {});
    const { tab } = await page.navigate(`${site.origin}/frame`);
    const end = await tabEvent(tab, "navigated", since);
    const between = (await list({ kinds: ["tab"], after: since })).items.filter(({ seq }) => seq <= end.seq);
    expect(between.filter((entry) => entry.tab !== tab)).toEqual([]);
  });
  test("those of a Chromium that dies are closed, those of the next one are new", async () => {
    const { tab } = await page.navigate(`${site.origin}/`);
    const since = await now();
    process.kill((await guest.health()).chromium.pid!, "SIGKILL");
    const closed = await tabEvent(tab, "closed", since);
    const next = await until<TabEntry>("tab", closed.seq, ({ event }) => event === "opened");
    expect(next.tab).not.toBe(tab);
    await guest.ready(30_000);
  });
});

describe("downloads, without being asked for", () => {
  const click = (path: string) =>
    page.evaluate(
      `(() => { const a = document.createElement('a'); a.href = '${path}'; document.body.append(a); a.click(); })()`,
    );
  test("from its beginning to its end under one id, with its tab", async () => {
    const { tab } = await page.navigate(`${site.origin}/`);
    const since = await now();
    await click("/paced");
    const begun = await until<DownloadEntry>("download", since, ({ state }) => state === "in_progress", tab);
    expect(begun).toMatchObject({ tab, name: "paced.bin", url: `${site.origin}/paced`, sha256: null });
    site.pace(3_000);
    site.endPaced();
    const done = await until<DownloadEntry>("download", since, ({ state }) => state === "completed", tab);
    const { sha256, total_bytes } = await guest.downloads.get(v.parse(GetDownload, { id: begun.id }));
    expect(sha256).not.toBeNull();
    expect(done).toMatchObject({ id: begun.id, tab, total_bytes, received_bytes: total_bytes!, sha256, error: null });
    // One entry, the newest, and nothing counts as lost.
    expect(await list({ kinds: ["download"] })).toMatchObject({ items: [done], dropped: 0 });
  });
  test("one that is cancelled says so", async () => {
    await page.navigate(`${site.origin}/`);
    const since = await now();
    await click("/paced");
    const { id } = await until<DownloadEntry>("download", since, ({ state }) => state === "in_progress");
    await guest.downloads.cancel(v.parse(CancelDownload, { id }));
    await until<DownloadEntry>("download", since, (entry) => entry.id === id && entry.state === "canceled");
  });
});

test("progress is told about once a second, changes of state at once, and a tab that is found moves the entry", async () => {
  const journal = new Journal();
  const stop = new AbortController();
  let wake = Promise.withResolvers<void>();
  let items: Download[] = [];
  const told: DownloadEntry[] = [];
  journal.subscribe((entry) => told.push(entry as DownloadEntry));
  stop.signal.addEventListener("abort", () => wake.resolve());
  const downloads = { list: () => items, changed: () => (wake = Promise.withResolvers<void>()).promise };
  const ended = recordDownloads(downloads, journal, stop.signal);
  const one = {
    ...{ id: "G", tab: null, url: "u", name: "n", type: "t/t", state: "in_progress", error: null, total_bytes: 9_000 },
    ...{ received_bytes: 0, sha256: null, by_client: false, started_at: 1, ended_at: null },
  } satisfies Download;
  const become = async (...changed: Partial<Download>[]) => {
    items = changed.map((change) => ({ ...one, ...change }));
    wake.resolve();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  await become({});
  await become({ tab: "T" });
  for (let received_bytes = 1; received_bytes < 1_000; received_bytes++) await become({ tab: "T", received_bytes });
  expect(told.length).toBeLessThan(900); // not each; how many depends on the machine
  const before = told.length;
  await become({ tab: "T", received_bytes: 9_000, state: "completed" });
  expect(told).toHaveLength(before + 1);
  expect(journal.list({ kinds: ["download"], tab: "T" }, 0, 100)).toMatchObject({
    items: [{ id: "G", state: "completed", received_bytes: 9_000 }],
    dropped: 0,
  });
  expect(journal.list({ kinds: ["download"], tab: "" }, 0, 100).items).toEqual([]);
  await become(); // deleted: it may come again
  expect(told).toHaveLength(before + 1);
  stop.abort();
  await ended;
});
