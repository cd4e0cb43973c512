import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browsing, refIn, refused, startBrowsing } from "../lib/browsing.ts";

/** Frames that do not stand straight: what was hit is told by the page itself. */
setDefaultTimeout(30_000);
const told = `<script>addEventListener("click", (event) =>
  top.postMessage([event.target.id || event.target.nodeName, event.isTrusted], "*"), true)</script>`;
const hits = `<script>hits = []; addEventListener("message", ({ data }) => hits.push(data))</script>`;
/** Corner by corner, so that a point a little off hits another. */
const INNERMOST = `<style>body { margin: 0 } button { position: absolute; width: 34px; height: 18px; padding: 0; font-size: 9px }</style>
  <button id="a" style="left: 2px; top: 2px">a</button><button id="b" style="right: 2px; top: 2px">b</button>
  <button id="c" style="right: 2px; bottom: 2px">c</button><button id="d" style="left: 2px; bottom: 2px">d</button>${told}`;
const frame = (style: string, src: string) =>
  `<iframe style="width: 220px; height: 120px; ${style}" src="${src}"></iframe>`;
const page = (body: string) => `<body style="margin: 90px 0 0 120px">${body}${hits}${told}`;

const STYLES: [string, string][] = [
  ["turned", "transform: rotate(30deg)"],
  ["upside down, with a border", "transform: rotate(180deg); border: 7px solid; padding: 3px 5px 11px 9px"],
  ["skewed", "transform: skew(20deg, 10deg); border: 0"],
  ["scaled unevenly", "transform: scale(1.6, 0.7); box-sizing: border-box; border-left: 20px solid"],
  ["mirrored", "transform: scaleX(-1)"],
  ["by properties of their own", "rotate: -20deg; scale: 1.3 0.9; translate: 20px 10px"],
  ["tilted", "transform: perspective(400px) rotateY(35deg) rotateX(15deg)"],
  ["evenly scaled", "transform: scale(0.8)"],
];
const around = (style: string, inner: string) => `<div style="${style}; width: 240px; height: 140px">${inner}</div>`;

let b: Browsing;
beforeAll(async () => {
  const pages: Record<string, string> = { "/innermost": INNERMOST };
  for (const [index, [, style]] of STYLES.entries())
    for (const [where, host] of [
      ["same", ""],
      ["other", "{other}"],
    ] as const) {
      pages[`/${where}/${index}`] = page(frame(style, `${host}/innermost`));
      pages[`/${where}/div/${index}`] = page(around(style, frame("", `${host}/innermost`)));
    }
  const inTurned = "width: 150px; height: 80px; margin: 10px; border: 0";
  pages["/middle"] = `${frame(`${inTurned}; transform: rotate(-12deg)`, "/innermost")}${told}`;
  pages["/middle/plain"] = `${frame(inTurned, "/innermost")}${told}`;
  pages["/middle/other"] = `${frame(`${inTurned}; transform: skew(10deg) scale(0.9, 1)`, "{other}/innermost")}${told}`;
  for (const path of Object.keys(pages).filter((path) => path.startsWith("/middle")))
    for (const [where, host] of [
      ["same", ""],
      ["other", "{other}"],
    ] as const) {
      const style = "width: 230px; height: 150px; transform: rotate(25deg) scale(1.2, 1)";
      pages[`/nested/${where}${path}`] = page(frame(style, `${host}${path}`));
      pages[`/nested/plain/${where}${path}`] = page(frame("width: 230px; height: 150px", `${host}${path}`));
    }
  pages["/edge"] = page(frame("transform: rotateY(90deg)", "/innermost"));
  b = await startBrowsing(pages);
}, 60_000);
afterAll(() => b[Symbol.asyncDispose]());

async function clickAll(path: string): Promise<void> {
  await b.open(path, { wait_until: "load" });
  const snapshot = await b.snapshot();
  for (const id of ["a", "b", "c", "d"]) await b.act("click", { ref: refIn(snapshot, `button "${id}"`) });
  await b.wait({ function: "hits.length >= 4" });
  expect(await b.value("hits")).toEqual(["a", "b", "c", "d"].map((id) => [id, true]));
}

for (const where of ["same", "other"])
  test.each(STYLES.map(([name], index) => [name, index] as const))(
    `a click lands in a frame of the ${where} site that is %s, itself or by what is around it`,
    async (_name, index) => {
      await clickAll(`/${where}/${index}`);
      await clickAll(`/${where}/div/${index}`);
    },
  );

for (const middle of ["/middle", "/middle/plain", "/middle/other"])
  test.each(["/nested/same", "/nested/other", "/nested/plain/same", "/nested/plain/other"])(
    `a click lands in %s${middle}`,
    (outer) => clickAll(`${outer}${middle}`),
  );

test("a frame seen from its edge is refused, and the tab goes on", async () => {
  await b.open("/edge", { wait_until: "load" });
  const ref = refIn(await b.snapshot(), 'button "a"');
  await refused("element_unsuitable", b.act("click", { ref }));
  expect(await b.value("hits")).toEqual([]);
});
