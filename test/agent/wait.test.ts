import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { urlMatcher } from "../../agent/browser/wait.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

let b: Browsing;
beforeAll(async () => void (b = await startBrowsing()), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

describe("waits for", () => {
  test.each<[string, object]>([
    ["a selector", { selector: "#new" }],
    ["a selector to be there", { selector: "b", state: "attached" }],
    ["a text", { text: "ready NOW" }],
    ["a text to go", { text_gone: "Loading…" }],
    ["a text, exactly", { text: '"Ready now"' }],
    ["an expression", { function: "document.getElementById('new') !== null" }],
    ["a function", { function: "() => here.textContent.startsWith('Ready')" }],
    ["a promise", { function: "async () => { await null; return here.textContent === 'Ready now'; }" }],
  ])("%s", async (_name, condition) => {
    await b.open("/waits");
    const waiting = b.wait(condition);
    await b.value("show(100), 0");
    await waiting;
    expect(await b.value("here.textContent")).toBe("Ready now");
  });
  test.each<[string, object]>([
    ["hidden", { selector: "#here", state: "hidden" }],
    ["detached", { selector: "#here", state: "detached" }],
  ])("a selector to be %s", async (_name, condition) => {
    await b.open("/waits");
    await b.value("setTimeout(() => here.remove(), 100), 0");
    await b.wait(condition);
    expect(await b.value("document.getElementById('here')")).toBeNull();
  });
  test.each(["**/waits/step-?", "*://*/waits/step-2", "/step-\\d$/"])("an address: %s", async (url) => {
    await b.open("/waits");
    const waiting = b.wait({ url });
    await b.value("jump(100), 0");
    expect((await waiting).url).toBe(`${b.site.origin}/waits/step-2`);
  });
  test("an address that another page brings", async () => {
    await b.open("/waits");
    const waiting = b.wait({ url: "**/form", timeout_ms: 10_000 });
    await b.value("setTimeout(() => (location.href = '/form'), 50), 0");
    expect((await waiting).url).toBe(`${b.site.origin}/form`);
  });
  test("what a page shows that comes later", async () => {
    await b.open("/waits");
    const waiting = b.wait({ selector: "role=button[name=Send]" });
    await b.value("setTimeout(() => (location.href = '/form'), 50), 0");
    expect((await waiting).title).toBe("Form");
  });
  test("a condition of a frame, and of a page that is replaced meanwhile", async () => {
    await b.open("/waits");
    await b.value(
      "setTimeout(() => { const f = document.createElement('iframe'); f.src = '/form'; document.body.append(f) }, 100), 0",
    );
    await b.wait({ function: "document.title === 'Form' && document.readyState === 'complete'", frame: "iframe" });
    const waiting = b.wait({ function: "() => document.title === 'Form'" });
    await b.value("setTimeout(() => (location.href = '/form'), 50), 0");
    expect((await waiting).title).toBe("Form");
  });
  test("the network to be idle, and a load that is past", async () => {
    await b.open("/busy", { wait_until: "commit" });
    expect((await b.wait({ network_idle: true })).title).toBe("Idle");
    await b.wait({ load: "load" });
  });
  test("a dialog", async () => {
    await b.open("/dialogs");
    const dialog = b.wait({ dialog: true });
    await b.value("setTimeout(() => confirm('well?'), 100), 0");
    expect((await dialog).dialog).toEqual({ type: "confirm", message: "well?" });
  });
});

describe("says", () => {
  test.each<[object, string]>([
    [{ selector: "#never" }, "#never did not become visible"],
    [{ text: "never" }, 'the text "never" did not appear'],
    [{ url: "**/never" }, "**/never"],
    [{ function: "false" }, "condition"],
    [{ function: "async()=>false" }, "condition"],
    [{ function: "(a=(1))=>false" }, "condition"],
    [{ function: "/*x*/ () => false" }, "condition"],
    [{ function: "document.querySelector.bind(document, '#none') // there?" }, "condition"],
    [{ function: "() => window.name === 'inner'", frame: "iframe" }, "condition"],
    [{ dialog: true }, "dialog"],
  ])("what it waited for in vain: %j", async (condition, words) => {
    await b.open("/waits");
    expect(await refused("operation_timeout", b.wait({ ...condition, timeout_ms: 300 }))).toContain(words);
  });
  test("what is wrong with the condition", async () => {
    await refused("invalid_request", b.wait({ selector: ":::" }));
    await refused("invalid_request", b.wait({ url: "/(/" }));
    expect(await refused("evaluation_failed", b.wait({ function: "nonsense.here" }))).toContain(
      "nonsense is not defined",
    );
    for (const words of ["no context", "it was replaced", "navigated away"])
      expect(
        await refused("evaluation_failed", b.wait({ function: `() => { throw new Error('${words}') }` })),
      ).toContain(words);
    for (const other of [{ url: "**" }, { dialog: true }, { load: "load" }, { network_idle: true }, { download: true }])
      expect(() => b.wait({ ...other, frame: "iframe" })).toThrow(/in a frame/);
    for (const body of [{}, { text: "a", url: "b" }]) expect(() => b.wait(body)).toThrow(/exactly one/);
  });
});

test.each<[string, string, boolean]>([
  ["http://a/b", "http://a/b", true],
  ["http://a/b", "http://a/bc", false],
  ["**/b", "http://a/x/b", true],
  ["http://a/*", "http://a/x/b", false],
  ["http://a/?q", "http://a/?q", true],
  ["**/a+b(c)", "http://x/a+b(c)", true],
  ["/^HTTP:/i", "http://a/", true],
])("address %s against %s: %p", (wanted, url, is) => {
  expect(urlMatcher(wanted)(url)).toBe(is);
});
