import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chromium } from "playwright-core";
import * as v from "valibot";
import { connect } from "../../src/client/client.ts";
import { type Entry, ExportHar, ListEntries, StartObserving } from "../../src/contract/index.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { chromiumProgram } from "../lib/chromium.ts";
import { harFaults } from "../lib/har-schema.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer } from "../server/harness.ts";
import { serveSite } from "../site/serve.ts";
import { describeVisits } from "../site/visits.ts";

setDefaultTimeout(60_000);
let b: Browsing;
let since: number;
beforeAll(async () => {
  b = await startBrowsing();
  since = (await b.guest.observe.list(v.parse(ListEntries, { after: Number.MAX_SAFE_INTEGER }))).after;
}, 90_000);
afterAll(() => b?.[Symbol.asyncDispose]());

const observe = () => b.guest.observe.start(v.parse(StartObserving, {}));
/** Entries from now on, until each wish was met. */
async function seen(...wanted: ((entry: Entry) => boolean)[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of b.guest.observe.entries({ after: since }, AbortSignal.timeout(20_000))) {
    if (entry.seq > since) entries.push(entry);
    if (wanted.every((wish) => entries.some(wish))) return entries;
  }
  throw new Error(`it never came; seen: ${JSON.stringify(entries)}`);
}
const finished = (path: string) => (entry: Entry) =>
  entry.kind === "request" && entry.state === "finished" && new URL(entry.url).pathname === path;

test("Playwright replays a site that is gone from the archive, bodies included", async () => {
  const page = `<!doctype html><title>Shop</title><script>
    const all = [fetch("/flour").then((r) => r.text()), fetch("/price?of=tea").then((r) => r.text()), fetch("/dot").then((r) => r.arrayBuffer()).then((a) => new Uint8Array(a).length)];
    Promise.all(all).then((said) => document.title = said.join(" "))</script>`;
  const site = serveSite({ "/shop": page, "/price": "three & a half — ü" });
  using _ = site;
  using here = temporaryDirectory();
  await observe();
  await b.open(`${site.origin}/shop`);
  await b.wait({ function: "document.title !== 'Shop'" });
  const title = (await b.value("document.title")) as string;
  expect(title).toStartWith("flour three & a half — ü ");
  await seen(finished("/shop"), finished("/flour"), finished("/price"), finished("/dot"));
  const har = await b.guest.observe.har(v.parse(ExportHar, { bodies: true }));
  expect(await harFaults(har)).toEqual([]);
  await Bun.write(here.join("site.har"), JSON.stringify(har));
  site[Symbol.dispose]();
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: chromiumProgram(), args: sandbox });
  try {
    const context = await browser.newContext({ offline: true });
    await context.routeFromHAR(here.join("site.har"), { notFound: "abort" });
    const tab = await context.newPage();
    await tab.goto(`${site.origin}/shop`);
    await tab.waitForFunction((wanted) => document.title === wanted, title);
    expect(await tab.evaluate("fetch('/never-asked').then(() => 'came', () => 'refused')")).toBe("refused");
  } finally {
    await browser.close();
  }
});

describeVisits(
  "agent as a local process, the server's door before it",
  async () => {
    const own = await startBrowsing();
    const server = startTestServer();
    server.engine.add("demo");
    server.engine.guests.set("demo", own.guest);
    return {
      client: connect({ base: server.url, key: KEY }),
      vm: "demo",
      site: own.site,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await own[Symbol.asyncDispose]();
      },
    };
  },
  { makeMs: 90_000 },
);
