import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import * as v from "valibot";
import { Evaluate } from "../../src/contract/index.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

let b: Browsing;
beforeAll(async () => void (b = await startBrowsing()), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

const evaluate = (expression: string, more: object = {}) =>
  b.guest.evaluate(v.parse(Evaluate, { expression, timeout_ms: 20_000, ...more }));

/** Most memory the agent had since `forgetPeak`, megabytes (proc(5), VmHWM). */
async function peakMb(): Promise<number> {
  const status = await Bun.file(`/proc/${b.agent.pid}/status`).text();
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

const forgetPeak = () => writeFileSync(`/proc/${b.agent.pid}/clear_refs`, "5"); // proc(5)

describe("a giant", () => {
  test.each<[string, object]>([
    ["'x'.repeat(120_000_000)", {}],
    ["Promise.resolve('x'.repeat(120_000_000))", {}],
    ["'x'.repeat(300_000_000); // said to be too long", {}],
    ["() => 'x'.repeat(120_000_000)", { args: [] }],
    ["async (n) => 'x'.repeat(n)", { args: [120_000_000] }],
    ["const giant = 'x'.repeat(120_000_000); giant", {}],
    ["(element) => element.tagName.repeat(30_000_000)", { selector: "body" }],
  ])(
    "never reaches the agent's memory: %s %j",
    async (expression, more) => {
      await b.open("/form");
      await evaluate("1");
      forgetPeak();
      const before = await peakMb();
      expect(await refused("result_too_large", evaluate(expression, more))).toMatch(/the limit is 16777216/);
      expect((await peakMb()) - before).toBeLessThan(100);
    },
    30_000,
  );
});

test.each([
  "if (true) 'x'.repeat(20_000_000); else 1",
  "for (let i = 0; i < 2; i++) 'x'.repeat(20_000_000)",
  "{ 'x'.repeat(20_000_000) }",
  "try { 'x'.repeat(20_000_000) } finally {}",
  "switch (1) { case 1: Array.from({ length: 3_000_000 }, () => 'abcdef') }",
])("a giant that a statement comes to is refused: %s", async (expression) => {
  await b.open("/form");
  expect(await refused("result_too_large", evaluate(expression))).toMatch(/the limit is 16777216/);
  expect((await evaluate("if (true) { 'small' }")).value).toBe("small");
});

describe("what is run means what it says", () => {
  test.each<[string, unknown]>([
    ["{ a: 1 }", 1],
    ["/* a block */ { a: 2 }", 2],
    ["1, 2", 2],
    ["document.title;", "Form"],
    ["'a' // b", "a"],
    ["function one() { return 1 }; one()", 1],
    ["let kept = 5; kept", 5],
    ["kept + 1", 6],
    ["if (kept) 'yes'; else 'no'", "yes"],
    ["(await Promise.resolve(3)) + 1", 4],
    ["const later = await Promise.resolve(8); later", 8],
    ["Promise.resolve({ a: 1 })", { a: 1 }],
    ["({ then(done) { done(7) } })", 7],
  ])("%s", async (expression, value) => {
    if (expression.startsWith("{")) await b.open("/form");
    expect((await evaluate(expression)).value).toEqual(value);
  });
  test("a promise that is not awaited stays one", async () => {
    expect(await evaluate("Promise.resolve(1)", { await_promise: false })).toMatchObject({
      type: "object",
      description: "Promise",
    });
    expect(await evaluate("async () => 'x'", { await_promise: false, args: [] })).toMatchObject({
      description: "Promise",
    });
  });
  test("a function keeps its `this`, and what is none is refused", async () => {
    await b.open("/form");
    expect(await evaluate("function () { return this.tagName }", { selector: "body" })).toMatchObject({
      value: "BODY",
    });
    await refused("evaluation_failed", evaluate("5", { args: [] }));
    await refused("evaluation_failed", evaluate("1)+(2", { args: [] }));
    expect(await refused("evaluation_failed", evaluate("1)+(2"))).toContain("SyntaxError");
  });
});

describe("a page that replaced the built-ins", () => {
  test.each<[string, RegExp]>([
    ["JSON.stringify = () => 'nope'", /JSON.stringify/],
    ["JSON.stringify = () => ({ toString: () => '1'.repeat(20_000_000) })", /JSON.stringify/],
    ["JSON.stringify = () => 5", /JSON.stringify/],
  ])("is told of: %s", async (spoil, words) => {
    await b.open("/form");
    await evaluate(`${spoil}; 0`);
    expect(await refused("evaluation_failed", evaluate("({ a: 1 })"))).toMatch(words);
    expect(await evaluate("1 + 1")).toMatchObject({ value: 2 });
  });
  test("toJSON of arrays and plain objects, as old libraries add it, changes no value and stays the page's", async () => {
    await b.open("/form");
    await evaluate("Array.prototype.toJSON = () => 'P'; Object.prototype.toJSON = () => 'O'; 0");
    expect((await evaluate("[1, { a: [2] }]")).value).toEqual([1, { a: [2] }]);
    expect((await evaluate("[1].toJSON()")).value).toBe("P");
  });
});

describe("what is thrown and is no error", () => {
  test.each([
    ["throw { a: 1 }", /^Uncaught: {"a":1}$/],
    ["Promise.reject({ reason: ['x'] })", /^Uncaught \(in promise\): {"reason":\["x"\]}$/],
    ["throw new (class Refusal { code = 7 })()", /^Uncaught: Refusal {"code":7}$/],
    ["const odd = {}; odd.odd = odd; throw odd", /^Uncaught: Object$/],
    ["throw { long: 'x'.repeat(100_000) }", /^Uncaught: {"long":"x{1000}/],
  ])("says its value: %s", async (expression, words) => {
    await b.open("/form");
    const message = await refused("evaluation_failed", evaluate(expression));
    expect(message).toMatch(words);
    expect(message.length).toBeLessThan(10_000);
  });
});

describe("rich values", () => {
  const rich = (expression: string, more: object = {}) => evaluate(expression, { encoding: "rich", ...more });
  test.each<[string, unknown]>([
    ["undefined", { v: "undefined" }],
    ["null", { v: "null" }],
    ["0 / 0", { v: "NaN" }],
    ["-0", { v: "-0" }],
    ["12345678901234567890n", { bi: "12345678901234567890" }],
    ["'text'", "text"],
    ["() => 1", { x: "function" }],
    ["Symbol('s')", { x: "symbol" }],
    [
      "[NaN, undefined, -0, 1 / 0, -1 / 0, null, true, 'a', 5n]",
      {
        a: [
          { v: "NaN" },
          { v: "undefined" },
          { v: "-0" },
          { v: "Infinity" },
          { v: "-Infinity" },
          { v: "null" },
          true,
          "a",
          { bi: "5" },
        ],
        id: 1,
      },
    ],
    ["new Date(0)", { d: "1970-01-01T00:00:00.000Z", id: 1 }],
    ["new Date(NaN)", { d: null, id: 1 }],
    ["/a+/gi", { r: { p: "a+", f: "gi" }, id: 1 }],
    ["new URL('http://a/b')", { u: "http://a/b", id: 1 }],
    [
      "Promise.resolve(new Map([[{ a: 1 }, new Set([2])]]))",
      {
        map: [
          [
            { o: [{ k: "a", v: 1 }], id: 2 },
            { set: [2], id: 3 },
          ],
        ],
        id: 1,
      },
    ],
    ["new Uint8Array([1, 2, 255])", { ta: { b: "AQL/", k: "ui8" }, id: 1 }],
    ["new BigInt64Array(1)", { ta: { b: "AAAAAAAAAAA=", k: "bi64" }, id: 1 }],
    ["new Uint8Array([1, 2]).buffer", { ab: { b: "AQI=" }, id: 1 }],
    [
      "(() => { const a = { b: [] }; a.b.push(a, a.b); return a })()",
      {
        o: [{ k: "b", v: { a: [{ ref: 1 }, { ref: 2 }], id: 2 } }],
        id: 1,
      },
    ],
    [
      "({ of: document.body, all: window })",
      {
        o: [
          { k: "of", v: { x: "HTMLBodyElement" } },
          { k: "all", v: { x: "Window" } },
        ],
        id: 1,
      },
    ],
    ["new (class Own { kept = 1; #hidden = 2; get seen() { return 3 } })()", { o: [{ k: "kept", v: 1 }], id: 1 }],
  ])("%s", async (expression, value) => {
    await b.open("/form");
    expect((await rich(expression)).value).toEqual(value);
  });
  test("an error keeps its name, message and stack", async () => {
    await b.open("/form");
    const { value } = await rich("[new TypeError('no')]");
    expect(value).toMatchObject({
      a: [{ e: { n: "TypeError", m: "no", s: expect.stringContaining("TypeError: no") } }],
    });
  });
  test("what comes out goes in again, identities and cycles included", async () => {
    await b.open("/form");
    const source = `(() => {
      const shared = { n: 1 }, all = [undefined, null, NaN, -0, 7n, new Date(5), /x/y, new URL("http://a/"), new RangeError("r"),
        new Map([[shared, shared]]), new Set([shared]), new Float64Array([1.5]), new Uint8Array([9]).buffer, new DataView(new ArrayBuffer(3))];
      all.push({ all, "__proto__ of": 1, ["__proto__"]: 5 });
      return all;
    })()`;
    const { value } = await rich(source);
    const again = await rich("(it) => it", { args: [value] });
    expect(again.value).toEqual(value);
    const looks = `(element, all, extra) => [element.tagName, extra, all.length, Object.is(all[3], -0), all[5].getTime(), all[6].flags,
      all[7] instanceof URL, all[8] instanceof RangeError, [...all[9]][0][0] === [...all[10]][0], all[11][0], all[12].byteLength,
      all[13] instanceof DataView, all[14].all === all].join()`;
    expect((await rich(looks, { selector: "body", args: [value, 3] })).value).toBe(
      "BODY,3,15,true,5,y,true,true,true,1.5,1,true,true",
    );
  });
  test.each<unknown>([
    [[1]],
    { a: 1 },
    { d: "no date" },
    { ta: { b: "AQ==", k: "f64" } },
    { ta: { b: "?", k: "ui8" } },
    { ref: 3 },
    { o: [{ k: 1, v: 1 }] },
    { map: [[1]] },
    { a: [], o: [] },
    { x: "Window" },
    { e: null },
    { toString: 1 },
  ])("an argument that is none is refused: %j", async (value) => {
    expect(await refused("invalid_request", rich("(it) => it", { args: [1, value] }))).toMatch(/^args\.1: /);
  });
  test("a giant is refused, and what throws when it is read says so", async () => {
    await b.open("/form");
    await refused("result_too_large", rich("new Uint8Array(13_000_000)"));
    expect(await refused("evaluation_failed", rich("({ get a() { throw new Error('mine') } })"))).toContain("mine");
    await b.value("JSON.stringify = () => 'nope', 0");
    await refused("evaluation_failed", rich("({})"));
  });
});
