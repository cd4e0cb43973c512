import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browsing, refIn, refused, startBrowsing } from "../lib/browsing.ts";

const ROWS = Array.from({ length: 2_000 }, (_, i) => `<p>row ${i} <button>Go ${i}</button></p>`).join("");

let b: Browsing;
beforeAll(async () => {
  b = await startBrowsing({
    "/many": `<!doctype html><title>Many</title>${ROWS}`,
    "/deep":
      "<!doctype html><title>Deep</title><script>let at=document.body;for(let i=0;i<20000;i++)at=at.appendChild(document.createElement('div'));at.textContent='bottom'</script><button>Top</button>",
    "/odd": `<!doctype html><title>Odd</title><button>a: b</button><button># no comment</button><button>- dash</button><p>null</p><p>12</p>
<button aria-label='quote " and \\ back'></button><p>'single'</p><p>{curly} [square]</p><p>x: y</p><input type=password value=secret aria-label=Word>
<div aria-label="  many   spaces  " role=button></div><p>line\u2028sep</p><button aria-labelledby="one two"></button><i id=one>One</i><i id=two hidden>Two</i>
<div role=checkbox aria-checked=mixed aria-label=Mixed></div><h3 aria-level=5>Level</h3><input type=checkbox aria-label=Half><script>document.querySelector('[aria-label=Half]').indeterminate=true</script>`,
  });
}, 60_000);
afterAll(() => b[Symbol.asyncDispose]());

describe("form", () => {
  test("controls with their names, states and values", async () => {
    await b.open("/form");
    const lines = (await b.snapshot()).split("\n").map((line) => line.trim().replace(/ \[ref=\w+\]/, ""));
    expect(lines).toContainValues([
      '- textbox "Name":',
      "- /placeholder: Your name",
      '- textbox "Mail": a@b.c',
      '- checkbox "I agree"',
      '- group "Size":',
      '- radio "Large" [checked]',
      '- option "Green" [selected]',
      '- slider "Volume": "3"',
      '- textbox "Rich": old',
      '- button "Never" [disabled]',
      '- button "Bold" [pressed]',
    ]);
  });
  test("structure, links, tables, shadow roots; nothing hidden", async () => {
    await b.open("/things");
    const yaml = await b.snapshot();
    for (const words of [
      '- navigation "Main"',
      "- /url: /form?a=1#x",
      '- heading "Part two" [level=2]',
      '- img "A dot"',
      '- option "One" [selected]',
      '- columnheader "Thing"',
      `'cell "3: \\"cheap\\""`,
      '- tab "First" [selected]',
      '- button "Inside shadow"',
      "slotted",
      "[cursor=pointer]: Click area",
    ])
      expect(yaml).toContain(words);
    expect(yaml).not.toMatch(/never seen|nor this|hidden words/);
    expect(yaml).toMatch(/\[aria-hidden\].*nor that/);
  });
  test("it is YAML, whatever the page is called", async () => {
    await b.open("/odd");
    const yaml = await b.snapshot();
    const flat = JSON.stringify(Bun.YAML.parse(yaml));
    for (const words of [
      "a: b",
      "# no comment",
      "- dash",
      "'single'",
      "{curly} [square]",
      "x: y",
      "many spaces",
      "One Two",
    ])
      expect(flat).toContain(JSON.stringify(words).slice(1, -1));
    expect(yaml).toMatch(/paragraph \[ref=\w+\]: "null"/);
    expect(yaml).toMatch(/checkbox "Mixed" \[checked=mixed\]/);
    expect(yaml).toMatch(/checkbox "Half" \[checked=mixed\]/);
    expect(yaml).toMatch(/heading "Level" \[level=5\]/);
  });
  test("a password is not read out", async () => {
    expect(await b.snapshot()).toContain('textbox "Word"');
    expect(await b.snapshot()).not.toContain("secret");
  });
  test("frames of this site and of another stand in their place", async () => {
    await b.open("/frames");
    const yaml = await b.snapshot();
    for (const title of ["Same", "Other"])
      expect(yaml).toMatch(
        new RegExp(`iframe "${title}".*\\n.*\\n +- button "Press me"(.*\\n){2} +- iframe .*\\n +- button "Deepest"`),
      );
  });
});

describe("refs", () => {
  test("are the same in the next snapshot, and new elements get new ones", async () => {
    await b.open("/acts");
    const before = await b.snapshot();
    await b.value("document.body.prepend(Object.assign(document.createElement('button'), { textContent: 'New' })), 0");
    const after = await b.snapshot();
    expect(refIn(after, "Slides")).toBe(refIn(before, "Slides"));
    expect(before).not.toContain(`[ref=${refIn(after, "New")}]`);
  });
  test("stale_ref: of an element that left, of a page that was left, of none; never another page's element", async () => {
    await b.open("/acts");
    const ref = refIn(await b.snapshot(), "Slides");
    await b.value("slides.remove()");
    expect(await refused("stale_ref", b.act("click", { ref }))).toContain("take a new snapshot");
    const other = refIn(await b.snapshot(), "Count");
    await b.open("/acts");
    await refused("stale_ref", b.act("click", { ref: other }));
    expect(await b.snapshot()).not.toContain(`[ref=${other}]`);
    await refused("stale_ref", b.act("click", { ref: other }));
    await refused("stale_ref", b.act("click", { ref: "e99999" }));
    await refused("stale_ref", b.act("click", { ref: "f77e1" }));
  });
  test("of a page that came back from history are of the page as it is now", async () => {
    await b.open("/acts");
    const ref = refIn(await b.snapshot(), "Count");
    await b.open("/form");
    await b.guest.back({ wait_until: "load", ignore_cache: false, timeout_ms: 10_000 });
    await refused("stale_ref", b.act("click", { ref }));
    await b.act("click", { ref: refIn(await b.snapshot(), "Count") });
    expect(await b.value("count.textContent")).toBe("n10");
  });
  test("what the page made of the built-ins does not matter, and it sees nothing of ours", async () => {
    await b.open("/form");
    await b.value(
      "Array.from = String.prototype.trim = document.querySelector = null; Element.prototype.getAttribute = () => 'lies'; 0",
    );
    expect(await b.snapshot()).toContain('textbox "Mail"');
    expect(await b.value("[typeof hype, typeof hypeMarkdown]")).toEqual(["undefined", "undefined"]);
  });
});

describe("size", () => {
  test("a part of the page", async () => {
    await b.open("/things");
    const table = await b.snapshot({ selector: "table" });
    expect(table).toStartWith('- table "Prices"');
    expect(table).not.toContain("Part two");
    expect(await b.snapshot({ ref: refIn(table, "table") })).toBe(table);
    await refused("element_not_found", b.snapshot({ selector: "#nope" }));
  });
  test("one that is too large says so, and ends with a whole line", async () => {
    await b.open("/many");
    const yaml = await b.snapshot({ max_chars: 2_000 });
    expect(yaml.length).toBeLessThan(2_200);
    expect(yaml.split("\n").at(-1)).toMatch(/^# truncated: about \d+ more nodes/);
    expect(yaml.split("\n").at(-2)).toMatch(/^ *- .*(\]|:|\w|")$/);
    expect(await b.snapshot()).not.toContain("truncated");
  });
  test("a page of twenty thousand levels", async () => {
    await b.open("/deep");
    expect(await b.snapshot()).toContain('button "Top"');
  });
});
