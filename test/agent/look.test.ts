import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { Pdf } from "../../src/contract/index.ts";
import { type Browsing, refIn, refused, startBrowsing } from "../lib/browsing.ts";

let b: Browsing;
beforeAll(async () => void (b = await startBrowsing()), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

/** Width and height in a PNG's header. */
const sizeOf = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

describe("content", () => {
  test("markdown of the article, without what stands around it", async () => {
    await b.open("/article");
    const markdown = await b.content({ format: "markdown" });
    for (const words of [
      "Tea is a drink",
      "## Kinds",
      `-   [black](${b.site.origin}/black)`,
      "| Kind | Minutes |",
      "| green | 2 |",
      "boil()",
    ])
      expect(markdown.replace(/-\s+\[/g, "-   [")).toContain(words);
    expect(markdown).not.toMatch(/Elsewhere|rights reserved/);
  });
  test("markdown of everything, or of one element", async () => {
    await b.open("/article");
    expect(await b.content({ format: "markdown", readable: false })).toMatch(/Elsewhere[^]*Tea is[^]*rights reserved/);
    expect(await b.content({ format: "markdown", selector: "table" })).toStartWith("| Kind | Minutes |");
    await b.open("/");
    expect(await b.content({ format: "markdown" })).toBe("# Hello\n\nworld"); // no article in it: all of it
  });
  test("making it leaves the page as it was, and a strict policy does not hinder it", async () => {
    await b.open("/article");
    const before = await b.content({ format: "html" });
    await b.value(
      "document.head.append(Object.assign(document.createElement('meta'), { httpEquiv: 'Content-Security-Policy', content: \"script-src 'none'\" })), 0",
    );
    expect(await b.content({ format: "markdown" })).toContain("## Kinds");
    expect((await b.content({ format: "html" })).replace(/<meta[^>]*>/, "")).toBe(before);
  });
  test("html and text of an element; it must be there", async () => {
    await b.open("/things");
    expect(await b.content({ format: "html", selector: "h2" })).toBe("<h2>Part two</h2>");
    expect(await b.content({ format: "text", ref: refIn(await b.snapshot(), "Prices") })).toContain("Tea");
    await refused("element_not_found", b.content({ selector: "#nope" }));
  });
});

describe("links and find", () => {
  test("links with their whole addresses and refs that can be clicked", async () => {
    await b.open("/things");
    const { items, total } = await b.links();
    expect(total).toBe(3);
    expect(items.map(({ text, url }) => [text, url])).toEqual([
      ["Home", `${b.site.origin}/`],
      ["Form page", `${b.site.origin}/form?a=1#x`],
      ["link", "https://example.test/"],
    ]);
    expect((await b.links({ limit: 1 })).items).toHaveLength(1);
    await b.act("click", { ref: items[1]!.ref });
    // The click is answered when it is done; the page it leads to may still be on its way.
    expect((await b.wait({ function: "document.title === 'Form'" })).title).toBe("Form");
  });
  test("links of SVG", async () => {
    await b.open(`data:text/html,<base href="http://a.test/b/"><svg><a href="c%3Fd=1"><text y=20>go</text></a></svg>`);
    expect((await b.links()).items).toMatchObject([{ url: "http://a.test/b/c?d=1" }]);
  });
  test.each<[string, object, string[]]>([
    ["words, any case", { text: "TEA" }, ["cell"]],
    ["exact words", { text: '"Part two"' }, ["heading"]],
    ["a pattern", { regex: "^(One|Two)$" }, ["option", "option"]],
    ["in a shadow root", { text: "inside shadow" }, ["button"]],
    ["nothing", { text: "not there" }, []],
  ])("find %s", async (_name, body, roles) => {
    await b.open("/things");
    const { items, total } = await b.find(body);
    expect(items.map(({ role }) => role as string)).toEqual(roles);
    expect(total).toBe(roles.length);
  });
  test("in a frame; a pattern that is none", async () => {
    await b.open("/frames");
    expect((await b.find({ text: "press me", frame: "[title=Other]" })).total).toBe(1);
    expect((await b.find({ text: "press me" })).total).toBe(0);
    await refused("invalid_request", b.find({ regex: "(" }));
  });
});

describe("screenshot", () => {
  test("of an element, wherever it is", async () => {
    await b.open("/colours");
    expect(sizeOf(await b.shot({ selector: "#red" }))).toEqual([100, 50]);
    expect(sizeOf(await b.shot({ selector: "#blue" }))).toEqual([60, 40]);
    expect(await b.shot({ selector: "#red", format: "jpeg" })).not.toEqual(
      await b.shot({ selector: "#blue", format: "jpeg" }),
    );
  });
  test("of a part of the page, at another scale", async () => {
    await b.open("/colours");
    expect(sizeOf(await b.shot({ clip: { x: 0, y: 1_000, width: 30, height: 20 } }))).toEqual([30, 20]);
    expect(sizeOf(await b.shot({ selector: "#red", scale: 2 }))).toEqual([200, 100]);
    expect(sizeOf(await b.shot({ scale: 0.5 }))).toEqual([640, 360]);
  });
  test("of an element in a frame", async () => {
    await b.open("/frames");
    const [width, height] = sizeOf(await b.shot({ frame: "[title=Other]", selector: "button" }));
    expect([width! > 20 && width! < 200, height! > 10 && height! < 60]).toEqual([true, true]);
  });
  test("what cannot be", async () => {
    await b.open("/colours");
    await refused("invalid_request", b.shot({ full_page: true, selector: "#red" }));
    await refused("element_not_found", b.shot({ selector: "#nope" }));
    await refused("result_too_large", b.shot({ clip: { x: 0, y: 0, width: 16_000, height: 10 }, scale: 2 }));
  });
});

describe("pdf", () => {
  const print = async (body: object = {}) => Buffer.from(await b.guest.page.pdf(v.parse(Pdf, body))).toString("latin1");
  const boxOf = (pdf: string) =>
    /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/
      .exec(pdf)
      ?.slice(1)
      .map((points) => Math.round(Number(points)));
  test("is a PDF, of the size asked for", async () => {
    await b.open("/article");
    const letter = await print();
    expect(letter).toStartWith("%PDF-");
    expect(boxOf(letter)).toEqual([612, 792]);
    expect(boxOf(await print({ format: "a4" }))?.[1]).toBe(842);
    expect(
      boxOf(await print({ paper_width: 2, paper_height: 3, landscape: true, margin_top: 0, margin_bottom: 0 })),
    ).toEqual([216, 144]);
  });
  test("of some pages, and of pages there are none", async () => {
    await b.open("/colours");
    const pages = (pdf: string) => pdf.match(/\/Type \/Page\b/g)?.length;
    expect(pages(await print({ page_ranges: "1" }))).toBe(1);
    expect(pages(await print())).toBe(2);
    await refused("pdf_failed", print({ page_ranges: "99" }));
  });
});

describe("evaluate", () => {
  test("a function with arguments, and with an element", async () => {
    await b.open("/things");
    expect(await b.value("(a, b) => a.n + b", { args: [{ n: 1 }, 2] })).toBe(3);
    expect(await b.value("async function (a) { return [a, await 5] }", { args: [null] })).toEqual([null, 5]);
    const ref = refIn(await b.snapshot(), "Part two");
    expect(await b.value("(e, more) => e.textContent + more", { ref, args: ["!"] })).toBe("Part two!");
    expect(await b.value("(e) => e === document.querySelector('h2')", { selector: "h2" })).toBe(true);
  });
  test("what goes wrong is said", async () => {
    await refused("evaluation_failed", b.value("(e) => e.nope.nope", { selector: "h2" }));
    await refused("evaluation_failed", b.value("not a function(", { args: [] }));
    await refused("element_not_found", b.value("(e) => 1", { selector: "#nope" }));
    await refused("stale_ref", b.value("(e) => 1", { ref: "e4711" }));
  });
});
