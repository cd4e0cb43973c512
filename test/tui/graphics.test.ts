/* eslint-disable no-control-regex -- control sequences are what this file is about */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Guest } from "../../src/guest/guest.ts";
import { type Pixel, pngOf } from "../lib/png.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { Shown } from "./pty.ts";

setDefaultTimeout(60_000);

const WIDTH = 160;
const HEIGHT = 120;

/** The upper half red, the lower half blue. */
const HALVES: Pixel = (_x, y) => (y < HEIGHT / 2 ? [255, 0, 0] : [0, 0, 255]);
/** Nothing that could be compressed. */
const NOISE: Pixel = (x, y) => {
  const hash = Bun.hash.crc32(`${x} ${y}`);
  return [hash & 255, (hash >> 8) & 255, (hash >> 16) & 255];
};

let server: TestServer;
let shownPage = new Uint8Array();
beforeAll(() => {
  server = startTestServer();
  server.engine.add("shop");
  server.engine.guests.set("shop", {
    tabs: async () => ({ items: [] }),
    screenshot: async () => ({ bytes: shownPage, contentType: "image/png" }),
  } as unknown as Guest);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Cells of 10 by 20 pixels (XTWINOPS 14). */
const PIXELS: [string, string] = ["\u001b[14t", "\u001b[4;600;1000t"];
const KITTY: [string, string] = ["i=31337,s=1", "\u001b_Gi=31337;OK\u001b\\"];
/** Primary device attributes of a terminal that has sixel: 4. */
const SIXEL: [string, string] = ["\u001b[c", "\u001b[?62;4;22c"];

async function pictured(pixel: Pixel, answers: [string, string][], seen: (output: string) => boolean): Promise<string> {
  shownPage = new Uint8Array(pngOf(WIDTH, HEIGHT, pixel));
  await using shown = new Shown(server.url, { COLORTERM: "truecolor" }, undefined, answers);
  await shown.until("shop");
  shown.type("\r");
  await shown.until("1 overview");
  return await shown.heard(seen);
}

/** Application program commands of kitty's protocol: keys, and data as base64. */
const kittyCommands = (output: string) =>
  [...output.matchAll(/\u001b_G([^;\u001b]*);?([^\u001b]*)\u001b\\/g)].map(([, keys = "", data = ""]) => ({
    keys: new Map(keys.split(",").map((pair) => pair.split("=") as [string, string])),
    data,
  }));
/** The answer to the question whether there is such a protocol is no picture. */
const picturesSent = (output: string) =>
  kittyCommands(output).filter(({ keys, data }) => data !== "" && keys.get("i") !== "31337");

test("kitty's graphics: in chunks of at most 4096 bytes, which together are the page", async () => {
  const output = await pictured(NOISE, [PIXELS, KITTY], (text) => picturesSent(text).at(-1)?.keys.get("m") === "0");
  const sent = picturesSent(output);
  expect(sent.length).toBeGreaterThan(5);
  for (const [at, { keys, data }] of sent.entries()) {
    expect(data.length).toBeLessThanOrEqual(4096);
    // Every chunk but the last says that more comes, and holds whole groups of four.
    expect(keys.get("m")).toBe(at < sent.length - 1 ? "1" : "0");
    if (at < sent.length - 1) expect(data.length % 4).toBe(0);
  }
  expect(sent[0]!.keys.get("f")).toBe("100"); // PNG
  const whole = Buffer.from(sent.map(({ data }) => data).join(""), "base64");
  expect(Buffer.compare(whole, shownPage)).toBe(0);
});

test("sixel: one device control string, as large as it says, in the page's colours", async () => {
  const pattern = /\u001bP([\d;]*)q([^\u001b]*)\u001b\\/;
  const output = await pictured(HALVES, [PIXELS, SIXEL], (text) => pattern.test(text));
  const body = pattern.exec(output)![2]!;
  // Raster attributes, then colours, repeats, sixels, and the ends of lines (DEC STD 070).
  expect(body).toMatch(/^"1;1;\d+;\d+(#\d+(;2;\d+;\d+;\d+)?|!\d+[?-~]|[?-~]|\$|-)+$/);
  const [, width, height] = /^"1;1;(\d+);(\d+)/.exec(body)!.map(Number);
  const bands = body.split("-").filter((band) => band !== "");
  expect(bands).toHaveLength(Math.ceil(height! / 6));
  for (const band of bands)
    for (const line of band.replace(/^"[\d;]+/, "").split("$")) expect(sixelsIn(line)).toBeLessThanOrEqual(width!);
  expect(sixelsIn(bands[1]!)).toBe(width!);
  const colours = new Set([...body.matchAll(/#\d+;2;(\d+;\d+;\d+)/g)].map(([, colour]) => colour));
  expect(colours).toEqual(new Set(["100;0;0", "0;0;100"]));
});

/** Columns of a line of sixels. */
const sixelsIn = (line: string): number =>
  [...line.replace(/#\d+(;2;\d+;\d+;\d+)?/g, "").matchAll(/!(\d+)[?-~]|[?-~]/g)].reduce(
    (sum, [, times]) => sum + Number(times ?? 1),
    0,
  );

test("half blocks in colour where the terminal has no graphics", async () => {
  const output = await pictured(
    HALVES,
    [PIXELS],
    (text) => /38;2;255;0;0|48;2;255;0;0/.test(text) && /[▀▄█]/.test(text),
  );
  expect(output).toMatch(/[34]8;2;0;0;255/);
  expect(picturesSent(output)).toEqual([]);
  expect(output).not.toMatch(/\u001bP[\d;]*q/);
});
