import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";

setDefaultTimeout(30_000);
const PAGE = `<!doctype html><title>Input</title><style>body{margin:0}div{position:absolute}</style>
<div id=area style="left:20px;top:20px;width:100px;height:60px;background:teal">one two three</div>
<div id=target style="left:220px;top:20px;width:100px;height:60px;background:navy"></div>
<input id=first style="position:absolute;top:200px;left:20px"><textarea id=second style="position:absolute;top:240px;left:20px"></textarea>
<script>
const said = window.said = [];
for (const type of ["mousedown", "mouseup", "click", "auxclick", "contextmenu", "dblclick", "mouseover"])
  for (const id of ["area", "target"])
    document.getElementById(id).addEventListener(type, (e) => said.push([type, id, e.button, e.detail, e.isTrusted]));
for (const type of ["keydown", "keyup", "input", "focusin", "focusout"])
  addEventListener(type, (e) => said.push([type, e.target.id ?? "", e.key ?? e.data ?? null, performance.now()]));
addEventListener("mousemove", (e) => (window.last = [e.clientX, e.clientY]));
addEventListener("mouseup", (e) => e.button > 2 && e.preventDefault());
</script>`;

let b: Browsing;
beforeAll(async () => {
  b = await startBrowsing({ "/input": PAGE });
}, 60_000);
afterAll(() => b?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await b.open("/input");
});

type Said = [type: string, of: string, ...rest: unknown[]];
const said = async (...types: string[]) => ((await b.value("said")) as Said[]).filter(([type]) => types.includes(type));
const at = { x: 50, y: 40 };

describe("the pointer", () => {
  test("three clicks select a paragraph, and count", async () => {
    await b.act("click", { ...at, count: 3 });
    expect((await said("click")).map(([, , , detail]) => detail)).toEqual([1, 2, 3]);
    expect(await b.value("String(getSelection()).trim()")).toBe("one two three");
    expect(await said("dblclick")).toHaveLength(1);
  });

  test.each([
    ["back", 3],
    ["forward", 4],
    ["middle", 1],
    ["right", 2],
  ])("the button %s", async (button, number) => {
    await b.act("click", { selector: "#area", button });
    expect((await said("mousedown", "mouseup")).map(([type, , which, , trusted]) => [type, which, trusted])).toEqual([
      ["mousedown", number, true],
      ["mouseup", number, true],
    ]);
    expect(await b.value("location.pathname")).toBe("/input");
  });

  test("hover and drag by coordinates", async () => {
    await b.act("hover", { x: 250, y: 40 });
    expect(await b.value("last")).toEqual([250, 40]);
    expect((await said("mouseover")).map(([, of]) => of)).toEqual(["target"]);
    await b.act("drag", { ...at, to: { x: 260, y: 50 } });
    expect((await said("mousedown", "mouseup")).map(([type, of]) => [type, of])).toEqual([
      ["mousedown", "area"],
      ["mouseup", "target"],
    ]);
    expect(await b.value("last")).toEqual([260, 50]);
  });

  test("modifiers are held for the whole of a click and let go after it", async () => {
    await b.value("area.addEventListener('click', (e) => said.push(['held', '', e.shiftKey, e.ctrlKey, e.altKey])), 0");
    await b.act("click", { ...at, modifiers: ["Shift", "Alt"] });
    await b.act("click", at);
    expect(await said("held")).toEqual([
      ["held", "", true, false, true],
      ["held", "", false, false, false],
    ]);
  });
});

describe("the keyboard", () => {
  const ON = { selector: "#first" };
  const keys = async (type: string) => (await said(type)).map(([, , key]) => key);

  test("focus, and from one to the next; each sees it", async () => {
    await b.act("focus", ON);
    await b.act("focus", { selector: "#second" });
    expect((await said("focusin", "focusout")).map(([type, of]) => [type, of])).toEqual([
      ["focusin", "first"],
      ["focusout", "first"],
      ["focusin", "second"],
    ]);
    expect(await b.value("document.activeElement.id")).toBe("second");
  });

  test("a key pressed several times is as many keys", async () => {
    await b.act("press", { ...ON, key: "a", count: 4 });
    expect(await b.value("first.value")).toBe("aaaa");
    expect([(await keys("keydown")).length, (await keys("keyup")).length]).toEqual([4, 4]);
  });

  test("a delay stands between keys", async () => {
    await b.act("type", { ...ON, text: "abc", delay_ms: 60 });
    await b.act("press", { ...ON, key: "z", count: 2, delay_ms: 60 });
    const downs = (await said("keydown")).map(([, , , when]) => when as number);
    expect(await b.value("first.value")).toBe("abczz");
    for (const [n, m] of [
      [0, 1],
      [1, 2],
      [3, 4],
    ] as const)
      expect(downs[m]! - downs[n]!).toBeGreaterThan(50);
  });

  test("keys down and up by hand: what is held holds for those between", async () => {
    await b.act("focus", ON);
    await b.act("keyboard", { type: "down", key: "Shift" });
    await b.act("press", { key: "b" });
    await b.act("keyboard", { type: "up", key: "Shift" });
    await b.act("press", { key: "b" });
    expect([await keys("keydown"), await keys("keyup")]).toEqual([
      ["Shift", "B", "b"],
      ["B", "Shift", "b"],
    ]);
    expect(await b.value("first.value")).toBe("Bb");
  });

  test("text inserted comes at once, without keys, line breaks and all of Unicode", async () => {
    const text = "漢字 \u{1f600} é\nsecond line";
    await b.act("focus", { selector: "#second" });
    await b.act("keyboard", { type: "insert", text });
    expect(await b.value("second.value")).toBe(text);
    expect(await keys("keydown")).toEqual([]);
    expect(await said("input")).not.toHaveLength(0);
  });

  test("a pause between actions of one call is as long as it says", async () => {
    await b.guest.page.actions({
      actions: [
        { action: "press", key: "a", count: 1, delay_ms: 0, ...ON },
        { action: "pause", ms: 300 },
        { action: "press", key: "b", count: 1, delay_ms: 0, ...ON },
      ],
      timeout_ms: 10_000,
    } as never);
    const [one, other] = (await said("keydown")).map(([, , , when]) => when as number);
    expect(other! - one!).toBeGreaterThan(290);
  });
});
