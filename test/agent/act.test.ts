import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { Actions } from "../../src/contract/index.ts";
import { type Browsing, refIn, refused, startBrowsing } from "../lib/browsing.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

let b: Browsing;
beforeAll(async () => void (b = await startBrowsing()), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

const count = () => b.value("count.textContent");

describe("pointing", () => {
  beforeEach(async () => void (await b.open("/acts")));

  test.each<[string, object, string]>([
    ["by CSS", { selector: "#count" }, "n10"],
    ["by text", { selector: "text=count" }, "n10"],
    ["by exact text", { selector: '"Count"' }, "n10"],
    ["by role", { selector: 'role=button[name="Count"]' }, "n10"],
    ["by XPath", { selector: "//button[@id='count']" }, "n10"],
    ["by chain", { selector: "body >> role=button >> nth=0" }, "n10"],
    ["twice, with Shift", { selector: "#count", count: 2, modifiers: ["Shift"] }, "n2s0"],
    ["with the middle button", { selector: "#count", button: "middle" }, "aux1"],
    ["at a place on it", { selector: "#count", position: { x: 3, y: 3 } }, "n10"],
  ])("click %s", async (_name, body, text) => {
    await b.act("click", body);
    expect(await count()).toBe(text);
  });
  test("the right button opens the page's menu", async () => {
    await b.value("count.onauxclick = null, 0");
    await b.act("click", { selector: "#count", button: "right" });
    expect(await count()).toBe("menu");
  });
  test("click by ref and by coordinates", async () => {
    await b.act("click", { ref: refIn(await b.snapshot(), 'button "Count"') });
    expect(await count()).toBe("n10");
    const { x, y } = (await b.value("count.textContent='', count.getBoundingClientRect().toJSON()")) as {
      x: number;
      y: number;
    };
    await b.act("click", { x: x + 5, y: y + 5 });
    expect(await count()).toBe("n10");
  });
  test("what is below the fold is scrolled to", async () => {
    await b.act("click", { selector: "#below" });
    expect(await b.value("document.title")).toBe("below");
  });
  test("an element that becomes enabled is waited for", async () => {
    const clicking = b.act("click", { selector: "#late" });
    await b.value("enableLate(200), 0");
    await clicking;
    expect(await b.value("document.title")).toBe("late clicked");
  });
  test("an element that moves is clicked when it stands still", async () => {
    await b.value("slide(400), 0");
    await b.act("click", { selector: "#slides" });
    expect(await b.value("[document.title, parseFloat(slides.style.left) >= 400]")).toEqual(["caught", true]);
  });
  test("hover", async () => {
    await b.act("hover", { selector: "#hover" });
    expect(await b.value("hover.textContent")).toBe("over");
  });
  test("drag with the pointer, and HTML drag and drop", async () => {
    await b.act("drag", { selector: "#drag", to: { selector: "#drop" } });
    expect(await b.value("drop.textContent")).toBe("dropped cargo");
    await b.act("drag", { selector: "#canvas", to: { selector: "#canvas" } });
    expect(await b.value("pts.some((p) => p.startsWith('down')) && pts.at(-1).startsWith('up')")).toBe(true);
  });
  test("mouse by hand", async () => {
    const { x, y } = (await b.value("canvas.getBoundingClientRect().toJSON()")) as { x: number; y: number };
    await b.act("mouse", { type: "move", x: x + 10, y: y + 10 });
    await b.act("mouse", { type: "down" });
    await b.act("mouse", { type: "move", x: x + 30, y: y + 10, steps: 2 });
    await b.act("mouse", { type: "up" });
    expect(await b.value("pts.join(' ')")).toBe("move10,10 down10,10 move20,10 move30,10 up30,10");
  });
  test("scroll: by the wheel, to an element", async () => {
    await b.act("scroll", { dy: 400 });
    await b.wait({ function: "scrollY === 400" });
    await b.act("scroll", { selector: "#below" });
    expect(await b.value("below.getBoundingClientRect().bottom <= innerHeight")).toBe(true);
  });
});

describe("what stands in the way is said", () => {
  beforeEach(async () => void (await b.open("/acts")));
  const click = (selector: string, more = {}) => b.act("click", { selector, timeout_ms: 700, ...more });

  test("no match, many matches, not a selector", async () => {
    expect(await refused("element_not_found", click("#nope"))).toContain("#nope");
    const many = await refused("element_ambiguous", click(".twin"));
    expect(many).toContain("2 elements match .twin");
    await b.act("click", { ref: /ref=(\w+)/.exec(many)![1]! }); // what it offers can be used
    for (const bad of [":::", "text=/(/", "role=button[colour=red]", "//["])
      await refused("invalid_request", click(bad));
  });
  test("hidden, disabled, and nothing was done", async () => {
    expect(await refused("element_hidden", click("#gone"))).toContain('<button id="gone">');
    expect(await refused("element_disabled", click("#off"))).toContain("Off");
    expect(await b.value("document.title")).toBe("Acts");
  });
  test("covered, by what; force clicks all the same", async () => {
    expect(await refused("element_covered", click("#under"))).toContain('<div id="lid">');
    await click("#under", { force: true });
    expect(await b.value("document.title")).toBe("lid");
  });
  test("never standing still", async () => {
    await b.value("slide(60000), 0");
    await refused("element_moving", click("#slides"));
  });
  test.each<[string, "click" | "mouse" | "press", object]>([
    ["nothing named", "click", {}],
    ["x alone", "click", { x: 1 }],
    ["element and point", "click", { selector: "#count", x: 1, y: 1 }],
    ["ref and selector", "click", { selector: "#count", ref: "e1" }],
    ["move to nowhere", "mouse", { type: "move" }],
    ["no such key", "press", { key: "Hyper" }],
    ["no such modifier", "press", { key: "a+b" }],
  ])("invalid_request: %s", async (_name, action, body) => {
    await refused("invalid_request", b.act(action, body));
  });
  test("a handler that never ends: operation_timeout, and the tab is usable", async () => {
    await b.value("count.onclick = () => { for (;;); }, 0");
    await refused("operation_timeout", click("#count"));
    await click("#slides");
    expect(await b.value("document.title")).toBe("caught");
  });
});

describe("forms", () => {
  beforeEach(async () => void (await b.open("/form")));
  const field = (selector: string) => b.value(`document.querySelector(${JSON.stringify(selector)}).value`);

  test.each<[string, string, string]>([
    ["#mail", "x@y.z", "x@y.z"],
    ["[name=notes]", "two\nlines", "two\nlines"],
    ["[name=day]", "2026-02-03", "2026-02-03"],
    ["[name=volume]", "7", "7"],
    ["#mail", "", ""],
  ])("fill %s with %j", async (selector, text, value) => {
    await b.act("fill", { selector, text });
    expect(await field(selector)).toBe(value);
  });
  test("fill an editable element; a label stands for its control", async () => {
    await b.act("fill", { selector: "[role=textbox]", text: "new" });
    expect(await b.value("document.querySelector('[role=textbox]').textContent")).toBe("new");
    await b.act("fill", { selector: "text=Notes", text: "by label" });
    expect(await field("[name=notes]")).toBe("by label");
  });
  test("type goes key by key, and what no key makes goes too", async () => {
    await b.act("type", { selector: "[name=name]", text: "Aé!字", submit: true });
    expect(await b.value("keys.join(' ')")).toBe("A/KeyA+s !/Digit1+s Enter/Enter");
    expect(await b.value("out.textContent")).toContain("name=A%C3%A9%21%E5%AD%97");
  });
  test("press with modifiers", async () => {
    await b.act("press", { selector: "#mail", key: "Control+A" });
    await b.act("press", { key: "Backspace" });
    expect(await field("#mail")).toBe("");
    await b.act("keyboard", { type: "down", key: "Shift" });
    await b.act("press", { key: "ArrowLeft" });
    await b.act("keyboard", { type: "up", key: "Shift" });
    expect(await b.value("keys.at(-1)")).toBe("ArrowLeft/ArrowLeft+s");
  });
  test("check, uncheck, radio", async () => {
    const checked = () => b.value("[ok.checked, document.querySelector('[value=s]').checked]");
    await b.act("check", { selector: "#ok" });
    await b.act("check", { selector: "text=Small" });
    expect(await checked()).toEqual([true, true]);
    await b.act("check", { selector: "#ok", checked: false });
    await b.act("check", { selector: "#ok", checked: false });
    expect(await checked()).toEqual([false, true]);
    await refused("element_unsuitable", b.act("check", { selector: "[value=s]", checked: false }));
  });
  test("select by value, by label, several", async () => {
    expect((await b.act("select", { selector: "[name=colour]", values: ["r"] })).selected).toEqual(["r"]);
    expect((await b.act("select", { selector: "[name=colour]", values: ["Green"] })).selected).toEqual(["g"]);
    expect((await b.act("select", { selector: "[name=many]", values: ["one", "three"] })).selected).toEqual([
      "one",
      "three",
    ]);
    const missing = b.act("select", { selector: "[name=many]", values: ["nine"], timeout_ms: 500 });
    expect(await refused("option_not_found", missing)).toContain('"one", "two", "three"');
  });
  test("upload files of the guest", async () => {
    using directory = temporaryDirectory();
    const paths = ["a.txt", "b.txt"].map((name) => join(directory.path, name));
    for (const path of paths) writeFileSync(path, "12345");
    await b.act("upload", { selector: "[type=file]", paths });
    expect(await b.value("out.textContent")).toBe("a.txt:5 b.txt:5");
    await refused("invalid_request", b.act("upload", { selector: "[type=file]", paths: ["/nowhere/x"] }));
    await refused("element_unsuitable", b.act("upload", { selector: "#mail", paths }));
  });
  test.each<[string, "fill" | "select" | "check", object]>([
    ["text for a checkbox", "fill", { selector: "#ok", text: "x" }],
    ["text for a button", "fill", { selector: "text=Send", text: "x" }],
    ["nonsense for a date", "fill", { selector: "[name=day]", text: "soon" }],
    ["an option of an input", "select", { selector: "#mail", values: ["x"] }],
    ["two options of one", "select", { selector: "[name=colour]", values: ["r", "g"] }],
    ["a textbox checked", "check", { selector: "#mail" }],
  ])("element_unsuitable: %s", async (_name, action, body) => {
    await refused("element_unsuitable", b.act(action, body));
  });
  test("several actions in one call; the one that fails is named, those before it are done", async () => {
    const all = (actions: object[]) => b.guest.page.actions(v.parse(Actions, { actions, timeout_ms: 5_000 }));
    await all([
      { action: "fill", selector: "[name=name]", text: "Ann" },
      { action: "check", selector: "#ok" },
      { action: "click", selector: "text=Send" },
    ]);
    expect(await b.value("out.textContent")).toContain("name=Ann");
    const failing = all([
      { action: "fill", selector: "#mail", text: "done" },
      { action: "click", ref: "e9999" },
    ]);
    expect(await refused("stale_ref", failing)).toStartWith("actions.1 (click): ");
    expect(await field("#mail")).toBe("done");
  });
});

describe("in frames", () => {
  test.each([0, 1])("frame %i: click, fill, the frame inside it; what covers the frame is seen", async (nth) => {
    await b.open("/frames");
    const before = await b.snapshot();
    await b.act("click", { ref: refIn(before, "Press me", nth) });
    await b.act("fill", { ref: refIn(before, 'textbox "Word"', nth), text: "in here" });
    await b.act("click", { ref: refIn(before, "Deepest", nth) });
    const after = await b.snapshot();
    expect(refIn(after, 'button "pressed true"')).toBe(refIn(before, "Press me", nth));
    expect(refIn(after, 'button "deep"')).toBe(refIn(before, "Deepest", nth));
    expect(after).toContain(": in here");
    await b.value("document.body.insertAdjacentHTML('beforeend', '<div id=over style=\"position:fixed;inset:0\">'), 0");
    const covered = b.act("click", { ref: refIn(after, "pressed true"), timeout_ms: 600 });
    expect(await refused("element_covered", covered)).toContain('<div id="over">');
  });
  test("a selector in a frame", async () => {
    await b.open("/frames");
    for (const title of ["Same", "Other"]) {
      await b.act("fill", { frame: `[title=${title}]`, selector: "role=textbox", text: title });
      expect(await b.value("(e) => e.value", { frame: `[title=${title}]`, selector: "input" })).toBe(title);
    }
    await refused("element_unsuitable", b.act("click", { frame: "h1", selector: "button", timeout_ms: 500 }));
  });
});

describe("what follows an action", () => {
  test("dialogs are answered and told", async () => {
    await b.open("/dialogs");
    expect((await b.act("click", { selector: "#confirm" })).dialogs).toEqual([{ type: "confirm", message: "sure?" }]);
    expect(await b.value("document.title")).toBe("confirmed false");
  });
  test("a dialog left to somebody else: the click returns and says so, and goes on once it is answered", async () => {
    await b.open("/dialogs");
    await b.guest.observe.setDialogPolicy({ policy: "ask", timeout_ms: 10_000 });
    try {
      const acted = await b.act("click", { selector: "#confirm" });
      expect(acted).toMatchObject({ dialog_open: true, dialogs: [{ type: "confirm", message: "sure?" }] });
      const { items } = await b.guest.observe.list({ kinds: ["dialog"], after: 0, limit: 10, timeout_ms: 10_000 });
      const id = items
        .map((entry) => (entry.kind === "dialog" && entry.state === "open" ? entry.id : ""))
        .find(Boolean)!;
      await b.guest.observe.answerDialog({ id, accept: true, timeout_ms: 10_000 });
      await b.wait({ function: "document.title === 'confirmed true'" });
    } finally {
      await b.guest.observe.setDialogPolicy({ policy: null, timeout_ms: 10_000 });
    }
  });
  test("of a storm of dialogs the last are told, the others counted", async () => {
    await b.open("/dialogs");
    await b.value("document.querySelector('#alert').onclick = () => { for (let n = 1; n <= 130; n++) alert(n) }, 0");
    const { dialogs, dialogs_dropped } = await b.act("click", { selector: "#alert" });
    expect(dialogs).toHaveLength(100);
    expect(dialogs.at(-1)).toEqual({ type: "alert", message: "130" });
    expect(dialogs_dropped).toBe(30);
  });
  test("before an open dialog every operation says at its deadline what stands in the way, and the dialog stays", async () => {
    await b.open("/dialogs");
    await b.guest.observe.setDialogPolicy({ policy: "ask", timeout_ms: 10_000 });
    try {
      await b.act("click", { selector: "#confirm" });
      for (const held of [
        () => b.act("click", { selector: "#alert", timeout_ms: 300 }),
        () => b.value("1 + 1", { timeout_ms: 300 }),
        () => b.wait({ function: "true", timeout_ms: 300 }),
        () => b.snapshot({ timeout_ms: 300 }),
      ])
        expect(await refused("operation_timeout", held())).toMatch(/confirm "sure\?".*answer-dialog d/);
      const { items } = await b.guest.observe.list({ kinds: ["dialog"], after: 0, limit: 100, timeout_ms: 10_000 });
      const last = items.findLast((entry) => entry.kind === "dialog")!;
      expect(last).toMatchObject({ state: "open" });
      await b.guest.observe.answerDialog({ id: last.id, accept: true, timeout_ms: 10_000 });
      await b.wait({ function: "document.title === 'confirmed true'" });
    } finally {
      await b.guest.observe.setDialogPolicy({ policy: null, timeout_ms: 10_000 });
    }
  });
  test("the page that a click leads to is there when it returns", async () => {
    await b.open("/opens");
    expect((await b.act("click", { selector: "#go" })).url).toBe(`${b.site.origin}/form`);
    await b.open("/opens");
    expect((await b.act("click", { selector: "#slow" })).url).toContain("/slow");
  });
  test("a click that closes its own tab: the tab is gone, and that is said", async () => {
    await b.open("/opens");
    await b.value("window.open('/opens'), 0");
    const { id: tab } = (await b.guest.tabs()).items.find(({ opener }) => opener !== null)!;
    await refused("tab_not_found", b.act("click", { selector: "#close", tab }));
    expect((await b.act("click", { selector: "#go" })).title).toBeDefined();
  });
  test("alerts without end, a renderer that dies: said, and the tab can be used again", async () => {
    await b.open("/acts");
    await b.value("count.onclick = () => { for (;;) alert('more'); }, 0");
    await refused("operation_timeout", b.act("click", { selector: "#count", timeout_ms: 700 }));
    await b.open("/acts");
    const waiting = refused("tab_crashed", b.wait({ selector: "#never" }));
    await b.value("0"); // the wait has reached the page
    await refused("navigation_failed", b.open("chrome://crash"));
    await waiting;
    await refused("tab_crashed", b.snapshot());
    await b.open("/acts");
    await b.act("click", { selector: "#count" });
    expect(await count()).toBe("n10");
  });
  test("two hands on one tab: both come through", async () => {
    await b.open("/form");
    await Promise.all([
      b.act("check", { selector: "#ok" }),
      b.act("select", { selector: "[name=colour]", values: ["r"] }),
      b.snapshot(),
    ]);
    expect(await b.value("[ok.checked, document.querySelector('[name=colour]').value]")).toEqual([true, "r"]);
  });
});
