/* eslint-disable no-control-regex -- control sequences are what this file is about */
import { TextAttributes } from "@opentui/core";
import { expect, setDefaultTimeout, test } from "bun:test";
import { THEME_NAMES } from "../../src/tui/theme/themes.ts";
import { startTestServer } from "../server/harness.ts";
import { Shown } from "./pty.ts";
import { choose, openScene } from "./scene.ts";
import type { TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

type Piece = { text: string; ink: number[]; paper: number[]; attributes: number };

const pieces = (tui: TuiWorld): Piece[] =>
  tui.screen
    .captureSpans()
    .lines.flatMap(({ spans }) => spans)
    .map(({ text, fg, bg, attributes }) => ({ text, ink: fg.toInts(), paper: bg.toInts(), attributes }));

/** Relative luminance and contrast as WCAG 2.2 has them. */
const luminance = ([red = 0, green = 0, blue = 0]: number[]): number => {
  const [r, g, b] = [red, green, blue].map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
};
const contrast = (a: number[], b: number[]): number => {
  const [dark, light] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
};

/** Signs that are drawn, not read. */
const isRead = ({ text }: Piece): boolean => /[\p{L}\p{N}]/u.test(text);

const VIEWS: [name: string, go: (tui: TuiWorld) => Promise<unknown>][] = [
  ["the list", async (tui) => await choose(tui, "shop")],
  ["one VM", async (tui) => await tui.press("RETURN")],
  ["its console", async (tui) => await tui.press("3")],
  ["a question", async (tui) => await tui.press("D")],
];

test.each([
  ["dark", 4.5],
  ["light", 4.5],
  ["contrast", 7],
] as const)("%s: what is read has a contrast of at least %d", async (theme, least) => {
  await using tui = await openScene();
  tui.store.update(({ settings }) => void (settings.theme = theme));
  for (const [name, go] of VIEWS) {
    await go(tui);
    await tui.screen.flush();
    for (const piece of pieces(tui).filter(isRead))
      expect({ name, text: piece.text, isRead: contrast(piece.ink, piece.paper) >= least }).toEqual({
        name,
        text: piece.text,
        isRead: true,
      });
  }
});

test("contrast: nothing is faint, not even what is old", async () => {
  await using tui = await openScene();
  const old = () => tui.store.update(({ connection }) => void Object.assign(connection, { status: "offline" }));
  old();
  await tui.until("✖ offline");
  expect(pieces(tui).some(({ attributes }) => attributes & TextAttributes.DIM)).toBe(true);
  tui.store.update(({ settings }) => void (settings.theme = "contrast"));
  old();
  await tui.screen.flush();
  expect(pieces(tui).some(({ attributes }) => attributes & TextAttributes.DIM)).toBe(false);
  for (const { ink, paper, text } of pieces(tui).filter(isRead)) expect(contrast(ink, paper), text).toBeGreaterThan(7);
});

test("light is light, dark is dark", async () => {
  await using tui = await openScene();
  const paper = async (theme: (typeof THEME_NAMES)[number]) => {
    tui.store.update(({ settings }) => void (settings.theme = theme));
    await tui.screen.flush();
    return pieces(tui).map((piece) => luminance(piece.paper));
  };
  expect(Math.max(...(await paper("dark")))).toBeLessThan(0.1);
  expect(Math.min(...(await paper("light")))).toBeGreaterThan(0.6);
});

test("without colours no colour is told to the terminal, and what is chosen is seen all the same", async () => {
  await using server = startTestServer();
  server.engine.add("demo");
  server.engine.add("other", { status: "crashed", status_reason: "out of memory" });
  await using shown = new Shown(server.url, { NO_COLOR: "1" });
  await shown.until("demo");
  for (const [keys, seen] of [
    ["?", "Keys: all VMs"],
    ["\r", "q quit"],
    ["\r", "1 overview"],
    ["3", "3 console"],
    ["q", "q quit"],
    ["D", "Delete demo"],
    ["n", "q quit"],
    ["c", "Create a VM"],
  ] as const) {
    shown.type(keys);
    await shown.until(seen);
  }
  const { coloured, swapped } = inked(shown.output);
  expect(coloured).toEqual([]);
  expect(swapped).toBeGreaterThan(0);
});

/** Texts that were written in a colour (SGR 30 to 49 and 90 to 107), and how many with ink and paper swapped. Blanks have no ink to be seen. */
function inked(output: string): { coloured: string[]; swapped: number } {
  const coloured: string[] = [];
  let swapped = 0;
  let isInked = false;
  let isPapered = false;
  for (const [, codes, text = ""] of output.matchAll(
    /\u001b\[([\d;]*)m|\u001b(?:\[[^@-~]*[@-~]|[\]_P^][^\u0007\u001b]*(?:\u0007|\u001b\\)|[^[\]_P^])|([^\u001b]+)/g,
  )) {
    if (codes === undefined) {
      if (isPapered || (isInked && text.trim() !== "")) coloured.push(text);
      continue;
    }
    if (/^0?$|^39$/.test(codes)) isInked = false;
    if (/^0?$|^49$/.test(codes)) isPapered = false;
    if (/^(3[0-8]|9[0-7])(;|$)/.test(codes)) isInked = true;
    if (/^(4[0-8]|10[0-7])(;|$)/.test(codes)) isPapered = true;
    if (codes === "7") swapped += 1;
  }
  return { coloured, swapped };
}
