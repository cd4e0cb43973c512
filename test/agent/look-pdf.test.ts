import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { inflateSync } from "node:zlib";
import * as v from "valibot";
import { Pdf } from "../../src/contract/index.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";

/** Every option of printing, by what stands in the document it makes. */
setDefaultTimeout(30_000);
const PAGE = `<title>Three</title><style>@page { size: 4in 5in; margin: 0.5in } h1 { margin: 0; break-after: page } h1:last-of-type { break-after: auto }
  #box { width: 96px; height: 96px; background: rgb(255, 0, 0) }</style>
  <h1>One</h1><h1>Two</h1><h1>Last</h1><div id="box"></div>`;
const PLAIN = `<title>Plain</title><body style="margin: 0"><div style="width: 100px; height: 100px; background: rgb(0, 0, 255)"></div>`;
let b: Browsing;
beforeAll(async () => void (b = await startBrowsing({ "/three": PAGE, "/plain": PLAIN })), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

/** The document's own words, and those of its pages (what they draw), unpacked. */
async function print(body: object = {}): Promise<{ text: string; drawn: string; pages: number; box: number[] }> {
  const bytes = Buffer.from(await b.guest.page.pdf(v.parse(Pdf, { timeout_ms: 20_000, ...body })));
  const text = bytes.toString("latin1");
  const drawn = [...text.matchAll(/<<[^]*?\/Length (\d+)[^]*?>>\s*stream\r?\n/g)].map((match) => {
    const at = match.index + match[0].length;
    const stream = bytes.subarray(at, at + Number(match[1]));
    try {
      return inflateSync(stream).toString("latin1");
    } catch {
      return ""; // an image or a font
    }
  });
  const box = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/
    .exec(text)!
    .slice(1)
    .map((points) => Math.round(Number(points)));
  return { text, drawn: drawn.join("\n"), pages: text.match(/\/Type \/Page\b/g)!.length, box };
}

test.each<[string, object, number[]]>([
  ["nothing: US letter", {}, [612, 792]],
  ["landscape", { landscape: true }, [792, 612]],
  ["a format", { format: "legal" }, [612, 1008]],
  ["a format, landscape", { format: "a5", landscape: true }, [595, 420]],
  ["a size", { paper_width: 3, paper_height: 7 }, [216, 504]],
  ["a size goes before a format", { paper_width: 3, paper_height: 7, format: "a4" }, [216, 504]],
])("paper: %s", async (_name, body, box) => {
  await b.open("/plain");
  const [width, height] = (await print(body)).box;
  expect(Math.abs(width! - box[0]!) + Math.abs(height! - box[1]!)).toBeLessThanOrEqual(2); // Chromium rounds to its pixels
});

test("the page's own size, where it is preferred", async () => {
  await b.open("/three");
  expect((await print({ prefer_css_page_size: true, format: "a4" })).box).toEqual([288, 360]);
});

test("page ranges", async () => {
  await b.open("/three");
  for (const [page_ranges, pages] of [["", 3], ["2", 1], ["1-2", 2], ["1,3", 2], ["2-", 2]] as const)
    expect([page_ranges, (await print({ page_ranges })).pages]).toEqual([page_ranges, pages]);
}); // prettier-ignore

test("backgrounds are drawn when asked for", async () => {
  await b.open("/plain");
  const blue = /\b0 0 1 rg\b/;
  expect((await print({ print_background: true })).drawn).toMatch(blue);
  expect((await print()).drawn).not.toMatch(blue);
});

test("tagged or not, with an outline or without", async () => {
  await b.open("/three");
  expect((await print()).text).toContain("/StructTreeRoot");
  expect((await print({ tagged: false })).text).not.toContain("/StructTreeRoot");
  expect((await print()).text).not.toContain("/Outlines");
  expect((await print({ outline: true })).text).toContain("/Outlines");
});

test("margins and scale: how many pages a long text takes", async () => {
  await b.open("/plain");
  await b.value("document.body.innerHTML = '<p>words</p>'.repeat(120), 0");
  const usual = (await print()).pages;
  expect((await print({ scale: 0.5 })).pages).toBeLessThan(usual);
  expect((await print({ margin_top: 4, margin_bottom: 4 })).pages).toBeGreaterThan(usual);
  await b.value("document.body.innerHTML = '<p>' + 'many words '.repeat(1500), 0");
  const wide = (await print({ margin_left: 0, margin_right: 0 })).pages;
  expect((await print({ margin_left: 3.5, margin_right: 3.5 })).pages).toBeGreaterThan(wide);
});

test("header and footer add their own text to every page", async () => {
  await b.open("/three");
  const shown = (drawn: string) => drawn.match(/\bTj\b|\bTJ\b/g)?.length ?? 0;
  const header_template = '<div style="font-size: 10px">head <span class="pageNumber"></span></div>';
  const footer_template = '<div style="font-size: 10px">foot <span class="totalPages"></span></div>';
  const templates = { header_template, footer_template, margin_top: 1, margin_bottom: 1 };
  const without = await print(templates);
  const withBoth = await print({ ...templates, display_header_footer: true });
  expect([without.pages, withBoth.pages]).toEqual([3, 3]);
  expect(shown(withBoth.drawn)).toBeGreaterThanOrEqual(shown(without.drawn) + 6);
});
