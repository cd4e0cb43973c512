import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { Content, Evaluate, type ErrorCode, HypeError, Navigate, Screenshot } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { type Pages, servePages } from "../lib/pages.ts";

let agent: RunningAgent;
let pages: Pages;
let guest: Guest;

beforeAll(async () => {
  pages = servePages();
  agent = await startAgent();
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
}, 40_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  pages[Symbol.dispose]();
});

const navigate = (path: string, more: Partial<Navigate> = {}) =>
  guest.navigate(v.parse(Navigate, { url: path.includes(":") ? path : pages.origin + path, ...more }));
const evaluate = (expression: string, more: Partial<Evaluate> = {}) =>
  guest.evaluate(v.parse(Evaluate, { expression, ...more }));
const screenshot = (more: Partial<Screenshot> = {}) => guest.screenshot(v.parse(Screenshot, more));
const content = (more: Partial<Content> = {}) => guest.content(v.parse(Content, more));

async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    (value) => `nothing was thrown but ${JSON.stringify(value)} returned`,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(HypeError);
  expect((thrown as HypeError).code).toBe(code);
  return (thrown as HypeError).message;
}

describe("navigate", () => {
  test("says where it arrived, with title and HTTP status", async () => {
    expect(await navigate("/")).toMatchObject({ url: `${pages.origin}/`, title: "Home", status: 200 });
  });
  test("a page that is not there is a page: status 404", async () => {
    expect(await navigate("/nowhere")).toMatchObject({ title: "Not here", status: 404 });
  });
  test("a page that sends the browser on is followed", async () => {
    expect(await navigate("/redirects")).toMatchObject({ url: `${pages.origin}/`, title: "Home" });
  });
  test("a title set while loading is the page's title", async () => {
    expect(await navigate("/late-title")).toMatchObject({ title: "late" });
  });
  test("a jump inside the document does not wait for a load that never comes", async () => {
    await navigate("/");
    expect(await navigate("/#part")).toMatchObject({ url: `${pages.origin}/#part`, title: "Home" });
  });
  test("a document without HTTP has no status", async () => {
    expect(await navigate("data:text/html,<title>d</title>")).toMatchObject({ title: "d", status: null });
  });
  test.each(["commit", "domcontentloaded", "load"] as const)("waits until %s", async (wait_until) => {
    expect(await navigate("/", { wait_until })).toMatchObject({ status: 200 });
  });

  test.each<[string, string, RegExp]>([
    ["nobody listens", "http://127.0.0.1:9/", /net::ERR_(CONNECTION_REFUSED|UNSAFE_PORT)/],
    ["a name that does not resolve", "http://nowhere.invalid/", /net::ERR_NAME_NOT_RESOLVED/],
    ["not an address", "certainly: not", /invalid URL|net::ERR_/],
  ])("%s: Chromium's own reason", async (_name, url, reason) => {
    expect(await refused("navigation_failed", navigate(url))).toMatch(reason);
  });
  test("a download is not a page", async () => {
    expect(await refused("navigation_failed", navigate("/file"))).toMatch(/download|ERR_ABORTED/);
  });
  test("a server that never answers: operation_timeout, and the tab is usable", async () => {
    await refused("operation_timeout", navigate("/hang", { timeout_ms: 300 }));
    expect(await navigate("/")).toMatchObject({ title: "Home" });
  });
});

describe("evaluate", () => {
  test.each<[string, string, unknown]>([
    ["number", "6 * 7", 42],
    ["string", "'a' + 'b'", "ab"],
    ["boolean", "!0", true],
    ["null", "null", null],
    ["object", "({ a: [1, { b: 2 }] })", { a: [1, { b: 2 }] }],
    ["date", "new Date(0)", "1970-01-01T00:00:00.000Z"],
    ["promise", "Promise.resolve(5)", 5],
    ["await at the top", "await Promise.resolve(6)", 6],
    ["nested undefined", "({ a: undefined, b: NaN })", { b: null }],
  ])("%s", async (_name, expression, value) => {
    expect((await evaluate(expression)).value).toEqual(value);
  });

  test.each<[string, string, string, string | null]>([
    ["undefined", "undefined", "undefined", null],
    ["NaN", "0 / 0", "number", "NaN"],
    ["Infinity", "1 / 0", "number", "Infinity"],
    ["bigint", "10n", "bigint", "10n"],
    ["function", "() => 1", "function", "() => 1"],
    ["symbol", "Symbol('s')", "symbol", "Symbol(s)"],
    ["cycle", "(() => { const a = {}; a.a = a; return a })()", "object", "Object"],
    ["window", "window", "object", "Window"],
  ])("%s has no JSON: null, type and description", async (_name, expression, type, description) => {
    expect(await evaluate(expression)).toMatchObject({ value: null, type, description });
  });

  test("an exception carries its text and its stack", async () => {
    const message = await refused("evaluation_failed", evaluate("(function boom() { throw new TypeError('no') })()"));
    expect(message).toContain("TypeError: no");
    expect(message).toContain("at boom");
  });
  test.each(["throw 5", "foo bar", "Promise.reject(new Error('later'))"])(
    "evaluation_failed: %s",
    async (expression) => {
      await refused("evaluation_failed", evaluate(expression));
    },
  );
  test.each(["'x'.repeat(17 * 1024 * 1024)", "({ deep: 'x'.repeat(17 * 1024 * 1024) })"])(
    "result_too_large: %s",
    async (expression) => {
      expect(await refused("result_too_large", evaluate(expression))).toContain("16777216");
    },
  );
  test("the largest value allowed comes whole", async () => {
    expect((await evaluate("'x'.repeat(16 * 1024 * 1024)")).value).toHaveLength(16 * 1024 * 1024);
  });

  test("our own endless loop ends with its deadline, the page lives on", async () => {
    await navigate("/");
    await refused("operation_timeout", evaluate("for (;;);", { timeout_ms: 300 }));
    expect(await evaluate("document.title")).toMatchObject({ value: "Home" });
  });
  test("the page's own endless loop is ended too", async () => {
    await navigate("/loops");
    await refused("operation_timeout", evaluate("1 + 1", { timeout_ms: 300 }));
    expect(await evaluate("document.title")).toMatchObject({ value: "loops" });
  });
  test("a page that only waits is not disturbed by our deadline", async () => {
    await navigate("/");
    await refused("operation_timeout", evaluate("new Promise((done) => (window.finish = done))", { timeout_ms: 200 }));
    expect(await evaluate("let n = 0; for (let i = 0; i < 1e6; i++) n += 1; n")).toMatchObject({ value: 1e6 });
  });
  test("dialogs stop nothing", async () => {
    expect(await navigate("/alerts")).toMatchObject({ title: "alerts" });
    expect((await evaluate("[window.answer, confirm('again')]")).value).toEqual([false, false]);
    expect(await navigate("/")).toMatchObject({ title: "Home" }); // past "leave this page?"
  });
});

describe("screenshot", () => {
  test.each([
    ["png", [0x89, 0x50, 0x4e, 0x47]],
    ["jpeg", [0xff, 0xd8, 0xff]],
    ["webp", [0x52, 0x49, 0x46, 0x46]],
  ] as const)("%s is %s", async (format, magic) => {
    await navigate("/");
    const { bytes, contentType } = await screenshot({ format });
    expect(contentType).toBe(`image/${format}`);
    expect([...bytes.subarray(0, magic.length)]).toEqual([...magic]);
  });
  test("full_page is as tall as the page", async () => {
    await navigate("/tall");
    const height = async (full_page: boolean) => {
      const { bytes } = await screenshot({ full_page });
      return new DataView(bytes.buffer).getUint32(20); // IHDR height
    };
    expect(await height(true)).toBe(3000);
    expect(await height(false)).toBe(720);
  });
});

describe("content", () => {
  test("html with its doctype, text as it is read", async () => {
    await navigate("/");
    expect((await content()).content).toMatch(/^<!DOCTYPE html>\n<html>.*<h1>Hello<\/h1>/s);
    expect((await content({ format: "text" })).content).toBe("Hello\n\nworld");
  });
  test("what the page's scripts made of the built-ins does not matter", async () => {
    await navigate("/");
    await evaluate("XMLSerializer.prototype.serializeToString = () => { throw 1 }; String.prototype.slice = null; 0");
    expect((await content()).content).toContain("Hello");
  });
});

describe("tabs", () => {
  test("an operation goes to the tab it names, else to the one used last", async () => {
    await navigate("/");
    const first = (await guest.tabs()).items.map(({ id }) => id);
    await guest.cdpJson("/json/new?about:blank", "PUT");
    const added = (await guest.tabs()).items.find(({ id }) => !first.includes(id))!.id;
    expect((await navigate("/late-title", { tab: added })).tab).toBe(added);
    expect(await evaluate("document.title")).toMatchObject({ tab: added, value: "late" });
    expect(await evaluate("document.title", { tab: first[0]! })).toMatchObject({ value: "Home" });
    await guest.cdpJson(`/json/close/${added}`);
  });
  test("tab_not_found", async () => {
    await refused("tab_not_found", evaluate("1", { tab: "NOPE" }));
  });
  test("an operation pending on a tab that is closed fails at once", async () => {
    const { tab } = await evaluate("1");
    await guest.cdpJson("/json/new?about:blank", "PUT"); // the browser would end with its last tab
    const pending = refused("tab_not_found", evaluate("new Promise(() => {})", { tab }));
    await evaluate("0", { tab }); // the one before it has reached the page
    await guest.cdpJson(`/json/close/${tab}`);
    await pending;
  });
  test("a renderer that dies fails what is pending, and the next navigation mends the tab", async () => {
    await navigate("/");
    const pending = refused("tab_crashed", evaluate("new Promise(() => {})"));
    await evaluate("0");
    await refused("navigation_failed", navigate("chrome://crash"));
    await pending;
    await refused("tab_crashed", evaluate("1"));
    expect(await navigate("/")).toMatchObject({ title: "Home" });
    expect(await evaluate("document.title")).toMatchObject({ value: "Home" });
  });
});
