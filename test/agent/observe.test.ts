import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import {
  AnswerDialog,
  Emulate,
  type Entry,
  ExportHar,
  GetBody,
  ListEntries,
  OBSERVED,
  type RequestEntry,
  ResetEmulation,
  SetDialogPolicy,
  StartObserving,
  StopObserving,
} from "../../src/contract/index.ts";
import { harFaults } from "../lib/har-schema.ts";
import { refused } from "../lib/refused.ts";
import { startStateWorld, type StateWorld } from "../lib/state-world.ts";

setDefaultTimeout(20_000);
let world: StateWorld;
let site: StateWorld["site"];
let guest: StateWorld["guest"];
let page: StateWorld["page"];
let since: number;
beforeAll(async () => {
  world = await startStateWorld();
  ({ site, guest, page } = world);
}, 40_000);
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await page.navigate(`${site.origin}/`);
  since = (await list({ after: Number.MAX_SAFE_INTEGER })).after;
});
afterEach(async () => {
  await guest.observe.setDialogPolicy(v.parse(SetDialogPolicy, { policy: null }));
  await guest.observe.stop(v.parse(StopObserving, {}));
});

const start = (more: object = {}) => guest.observe.start(v.parse(StartObserving, more));
const list = (more: object) => guest.observe.list(v.parse(ListEntries, { after: since ?? 0, ...more }));
const body = async (id: string, of = "response") =>
  new TextDecoder().decode(await guest.observe.body(v.parse(GetBody, { id, of })));

/** Entries as they come until one is the wanted one. @param after where earlier ones may be gone: 0 */
async function until(isWanted: (entry: Entry) => boolean, filter: object = {}, after = since): Promise<Entry[]> {
  const seen: Entry[] = [];
  for await (const entry of guest.observe.entries({ after, ...filter }, AbortSignal.timeout(10_000))) {
    if (entry.seq <= since) continue;
    seen.push(entry);
    if (isWanted(entry)) return seen;
  }
  const brief = seen.map((entry) => [entry.kind, "url" in entry && entry.url, "state" in entry && entry.state]);
  throw new Error(`it never came; seen: ${JSON.stringify(brief)}`);
}
const ended = (path: string) => (entry: Entry) =>
  entry.kind === "request" && entry.state !== "pending" && new URL(entry.url).pathname === path;
const request = async (path: string) => (await until(ended(path))).at(-1) as RequestEntry;

describe("console", () => {
  test("what the page says, with level, place and the shape of objects; what it throws", async () => {
    await start();
    await page.navigate(`${site.origin}/noisy`);
    const seen = await until(({ kind }) => kind === "exception", { kinds: ["console", "exception"] });
    expect(seen).toMatchObject([
      {
        kind: "console",
        level: "info",
        text: "one 2 {a: 1}",
        url: `${site.origin}/noisy`,
        line: 1,
        tab: expect.any(String),
      },
      { kind: "console", level: "warning", text: "careful" },
      { kind: "console", level: "error", text: expect.stringContaining("Error: bad\n    at") },
      { kind: "exception", text: expect.stringContaining("TypeError: uncaught") },
    ]);
  });
  test("an endless console: the newest are kept, the rest is counted, requests are not pushed out", async () => {
    await start();
    await page.evaluate("fetch('/data.json').then(() => 0)");
    await request("/data.json");
    await page.evaluate("for (let n = 0; n < 5000; n++) console.log(n, 'x'.repeat(100)); 0");
    await until((entry) => entry.kind === "console" && entry.text.startsWith("4999 "), {}, 0);
    const { items, dropped } = await list({ kinds: ["console"], after: 0, limit: 5000 });
    expect(items.length + dropped).toBeGreaterThanOrEqual(5000);
    expect(items.at(-1)).toMatchObject({ text: expect.stringMatching(/^4999 /) });
    expect(items.length).toBeLessThanOrEqual(2000);
    expect((await list({ kinds: ["request"] })).items).toContainEqual(
      expect.objectContaining({ url: `${site.origin}/data.json` }),
    );
  }, 20_000);
  test("workers are heard, a tab that is not observed is not", async () => {
    const opened = JSON.parse(
      new TextDecoder().decode((await guest.cdpJson(`/json/new?${site.origin}/`, "PUT")).bytes),
    ).id;
    try {
      await start({ tab: opened });
      await page.evaluate(
        "console.log('loud'); new Worker(URL.createObjectURL(new Blob([`console.log('from a worker')`]))); 0",
        { tab: opened },
      );
      await until((entry) => entry.kind === "console" && entry.text === "from a worker" && entry.tab === opened);
      const others = (await guest.tabs()).items.map(({ id }) => id).filter((id) => id !== opened);
      await page.evaluate("console.log('unheard'); 0", { tab: others[0] });
      await page.evaluate("console.log('end'); 0", { tab: opened });
      const seen = await until((entry) => entry.kind === "console" && entry.text === "end");
      expect(JSON.stringify(seen)).not.toContain("unheard");
    } finally {
      await guest.cdpJson(`/json/close/${opened}`);
    }
  });
  test("a service worker is heard", async () => {
    await start();
    await page.navigate(`${site.origin}/worker`);
    await until((entry) => entry.kind === "console" && entry.text === "from the worker");
    await page.evaluate(
      "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister()))).then(() => 0)",
    );
  });
  test("nothing is seen before it is asked for, nor after", async () => {
    await page.evaluate("console.log('silent'); fetch('/data.json').then(() => 0)");
    expect((await list({ kinds: [...OBSERVED, "dialog"] })).items).toEqual([]);
  });
});

describe("requests", () => {
  test("method, headers as sent, status, sizes, timing; bodies on demand", async () => {
    await start();
    await page.evaluate(
      "fetch('/data.json', { method: 'POST', body: 'the body', headers: { 'x-mine': '1' } }).then((reply) => reply.text())",
    );
    const entry = await request("/data.json");
    expect(entry).toMatchObject({
      state: "finished",
      method: "POST",
      status: 200,
      mime_type: "application/json",
      resource_type: "fetch",
      has_request_body: true,
      body_bytes: 13,
      error: null,
      timing: { wait: expect.any(Number) },
    });
    expect(entry.request_headers).toContainEqual({ name: "x-mine", value: "1" });
    expect(entry.request_headers.map(({ name }) => name.toLowerCase())).toContain("host");
    expect(await body(entry.id)).toBe('{"answer":42}');
    expect(await body(entry.id, "request")).toBe("the body");
    await refused("request_not_found", body("q0"));
  });
  test("a body outlives its page", async () => {
    await start();
    await page.evaluate("fetch('/data.json').then((reply) => reply.text())");
    const { id } = await request("/data.json");
    await page.navigate(`${site.other}/`);
    expect(await body(id)).toBe('{"answer":42}');
  });
  test("headers that are emulated besides do not cost the bodies", async () => {
    await start({ kinds: ["request"] });
    await guest.overlay.emulate(v.parse(Emulate, { extra_headers: { "x-emulated": "1" } }));
    await page.evaluate("fetch('/data.json').then((reply) => reply.text())");
    const entry = await request("/data.json");
    expect(entry.request_headers).toContainEqual({ name: "x-emulated", value: "1" });
    expect(await body(entry.id)).toBe('{"answer":42}');
    await guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
  });
  test("redirects, failures and what never ends", async () => {
    await start();
    await page.evaluate("fetch('/redirect').then((reply) => reply.text())");
    expect(await request("/redirect")).toMatchObject({ status: 302, redirected_to: `${site.origin}/data.json` });
    expect(await request("/data.json")).toMatchObject({ status: 200 });
    await page.evaluate("fetch('http://127.0.0.1:9/refused').catch(() => 0)");
    expect(await request("/refused")).toMatchObject({ state: "failed", error: expect.stringMatching(/^net::ERR_/) });
    await page.evaluate("void fetch('/hang').catch(() => 0); 0");
    await until((entry) => entry.kind === "request" && entry.url.endsWith("/hang") && entry.state === "pending");
    await page.navigate(`${site.other}/`);
    expect(await request("/hang")).toMatchObject({ state: "failed" });
  });
  test("messages of web sockets, text and binary", async () => {
    await start();
    await page.evaluate(`new Promise((done) => { const s = new WebSocket('${site.origin.replace("http", "ws")}/ws'); s.binaryType = 'arraybuffer';
      s.onopen = () => { s.send('hello'); s.send(new Uint8Array([1, 255])); s.send('x'.repeat(100000)); };
      let n = 0; s.onmessage = () => { if (++n === 3) { s.close(); } }; s.onclose = () => done(0); })`);
    const seen = await until((entry) => entry.kind === "websocket" && entry.event === "close", {
      kinds: ["websocket"],
    });
    expect(
      seen
        .filter((entry) => entry.kind === "websocket")
        .map(({ event, bytes, text, base64, truncated }) => [event, bytes, text?.slice(0, 10) ?? base64, truncated]),
    ).toEqual([
      ["open", 0, null, false],
      ["sent", 5, "hello", false],
      ["sent", 2, "Af8=", false],
      ["sent", 100_000, "xxxxxxxxxx", true],
      ["received", 10, "echo hello", false],
      ["received", 2, "Af8=", false],
      ["received", 100_005, "echo xxxxx", true],
      ["close", 0, null, false],
    ]);
    const har = await guest.observe.har(v.parse(ExportHar, {}));
    expect(await harFaults(har)).toEqual([]);
    const [socket, ...others] = (har.log.entries as any[]).filter((entry) => entry._resourceType === "websocket");
    expect(others).toEqual([]);
    expect(socket).toMatchObject({ request: { url: expect.stringMatching(/^ws:.*\/ws$/) }, response: { status: 101 } });
    expect(socket._webSocketMessages.map(({ type, opcode, data }: any) => [type, opcode, data.slice(0, 10)])).toEqual([
      ["send", 1, "hello"],
      ["send", 2, "Af8="],
      ["send", 1, "xxxxxxxxxx"],
      ["receive", 1, "echo hello"],
      ["receive", 2, "Af8="],
      ["receive", 1, "echo xxxxx"],
    ]);
  });
  test("an archive that validates, with bodies, pages and what failed", async () => {
    await start();
    await page.navigate(`${site.origin}/frame?a=1&b=`);
    await page.evaluate(
      "Promise.all([fetch('/data.json', { method: 'POST', body: 'b' }).then((r) => r.text()), fetch('/redirect').then((r) => r.text()), fetch('/image.png').then((r) => r.blob()), fetch('http://127.0.0.1:9/').catch(() => 0)]).then(() => 0)",
    );
    await request("/image.png");
    const har = await guest.observe.har(v.parse(ExportHar, { bodies: true }));
    expect(await harFaults(har)).toEqual([]);
    const entries = har.log.entries as any[];
    const found = (path: string) => entries.filter(({ request }) => new URL(request.url).pathname === path).at(-1);
    expect(found("/frame")).toMatchObject({
      pageref: expect.stringMatching(/^page_/),
      request: {
        queryString: [
          { name: "a", value: "1" },
          { name: "b", value: "" },
        ],
      },
      response: { content: { text: expect.stringContaining("framed") } },
    });
    expect(found("/image.png").response.content).toMatchObject({ encoding: "base64", text: "iVBORw==" });
    expect(found("/redirect").response).toMatchObject({ status: 302, redirectURL: `${site.origin}/data.json` });
    expect(entries.some(({ response }) => response._error)).toBe(true);
    const broken = JSON.parse(JSON.stringify(har));
    delete broken.log.entries[0].request.method;
    expect(await harFaults(broken)).not.toEqual([]);
  });
});

describe("dialogs", () => {
  const policy = (more: object) => guest.observe.setDialogPolicy(v.parse(SetDialogPolicy, more));
  const ASK = "[alert('a'), confirm('b'), prompt('c', 'd')]";
  test("without a policy Chromium dismisses", async () => {
    expect(await page.evaluate(ASK)).toEqual([null, false, null]);
  });
  test("accept, with the text for prompts", async () => {
    await policy({ policy: "accept", prompt_text: "answer" });
    expect(await page.evaluate(ASK)).toEqual([null, true, "answer"]);
    const { items } = await list({ kinds: ["dialog"] });
    expect(items).toMatchObject([
      { type: "alert", state: "accepted", message: "a" },
      { type: "confirm", state: "accepted", message: "b" },
      { type: "prompt", state: "accepted", default_prompt: "d" },
    ]);
  });
  test("dismiss", async () => {
    await policy({ policy: "dismiss" });
    expect(await page.evaluate(ASK)).toEqual([null, false, null]);
  });
  test("ask: the page waits until it is answered by id; navigation's own answers keep out", async () => {
    await policy({ policy: "ask" });
    const asking = page.evaluate("[confirm('really?'), prompt('name?')]");
    const answer = (id: string, more: object) => guest.observe.answerDialog(v.parse(AnswerDialog, { id, ...more }));
    const open = async (message: string) =>
      (await until((entry) => entry.kind === "dialog" && entry.state === "open" && entry.message === message)).at(-1)!
        .id;
    const first = await open("really?");
    await answer(first, { accept: true });
    await answer(await open("name?"), { accept: true, prompt_text: "Ada" });
    expect(await asking).toEqual([true, "Ada"]);
    await refused("dialog_not_found", answer(first, { accept: true }));
  });
  test("an open one is answered when the policy goes", async () => {
    await policy({ policy: "ask" });
    const asking = page.evaluate("confirm('still?')");
    await until((entry) => entry.kind === "dialog" && entry.state === "open");
    await policy({ policy: "accept" });
    expect(await asking).toBe(true);
  });
});

test("a reader that stops reading is served later, or told that entries were dropped", async () => {
  await start({ kinds: ["console"] });
  const reading = guest.observe
    .entries({ after: since, kinds: ["console"] }, AbortSignal.timeout(20_000))
    [Symbol.asyncIterator]();
  await page.evaluate("console.log('first'); 0");
  expect((await reading.next()).value).toMatchObject({ text: "first" });
  await page.evaluate("for (let n = 0; n < 6000; n++) console.log('y'.repeat(9000)); console.log('last'); 0");
  await until((entry) => entry.kind === "console" && entry.text === "last", {}, 0);
  const drained = (async () => {
    for (;;) if ((await reading.next()).value?.text === "last") return "all";
  })();
  expect(await drained.catch((error) => error.code)).toBe("reader_too_slow");
  const again = (after: number) =>
    guest.observe
      .entries({ after, kinds: ["console"] }, AbortSignal.timeout(20_000))
      [Symbol.asyncIterator]()
      .next()
      .then(
        ({ value }) => value?.seq,
        ({ code }) => code,
      );
  expect(await again(since + 1)).toBe("reader_too_slow"); // one that was away
  expect(await again(0)).toBeGreaterThan(0); // asks for what there is
  expect(await again(1e9)).toBe(await again(0)); // comes from an agent before this one
}, 40_000);
