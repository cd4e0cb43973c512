import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Lines } from "../../src/tui/state/lines.ts";
import { TuiWorld } from "./world.ts";

describe("lines that keep coming", () => {
  test("what is searched is found as in all of them at once, whatever came and went meanwhile", () => {
    const piece = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "B", "b", "\n", "\r", "x"), maxLength: 12 }),
      fc.constant("ab\n".repeat(3_000)),
    );
    const wanted = fc.constantFrom("", "b", "AB", "x", "nowhere");
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, wanted), { maxLength: 12 }), (steps) => {
        const lines = new Lines();
        for (const [text, search] of steps) {
          lines.push(text);
          const all = lines.all();
          const plainly = all.flatMap((line, at) =>
            search !== "" && line.toLowerCase().includes(search.toLowerCase()) ? [at] : [],
          );
          expect([...lines.holding(search)]).toEqual(plainly);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("one that is too long says so at its end, also while it still comes", () => {
    const lines = new Lines();
    lines.push("x".repeat(5_000));
    lines.push("y".repeat(5_000));
    expect(lines.all()[0]).toBe(`${"x".repeat(4_095)}…`);
    lines.push("\nshort\n");
    expect(lines.all()).toEqual([`${"x".repeat(4_095)}…`, "short"]);
  });
});

describe("what a command writes", () => {
  const numbers = Array.from({ length: 60 }, (_, at) => `word${String(at).padStart(2, "0")}`).join(" ");

  test("is gone through row by row, through long lines too, and from end to end", async () => {
    await using tui = await TuiWorld.open({ width: 60, height: 15 });
    const lines = new Lines();
    lines.push(`first\n${numbers}\nlast\n`);
    tui.store.update((state) => {
      state.overlay = {
        ...{ kind: "output", title: "test", lines, code: 0, follow: true },
        ...{ top: { line: 0, row: 0 }, seen: { width: 80, height: 1 }, stop: new AbortController() },
      };
    });
    const shown = (frame: string) => /first|word\d\d/.exec(frame)?.[0] ?? "nothing";
    await tui.until("last");
    const seen = new Set<string>();
    let top = shown(await tui.until("last"));
    // Up to the beginning: every row is on the screen once as the uppermost one, or below it.
    for (let step = 0; step < 40 && top !== "first"; step++) {
      await tui.press("k");
      const frame = await tui.until((now) => shown(now) !== top);
      top = shown(frame);
      for (const [word] of frame.matchAll(/word\d\d/g)) seen.add(word);
    }
    expect(top).toBe("first");
    expect(seen.size).toBe(60);
    await tui.press("G");
    await tui.until("last");
    await tui.press("g");
    await tui.until("first");
    const before = shown(await tui.until((now) => !now.includes("last")));
    await tui.press("j");
    expect(shown(await tui.until((now) => shown(now) !== before))).toBe("word00");
    for (let step = 0; step < 30; step++) await tui.press("j");
    await tui.until("last");
    await tui.press("k");
    await tui.until((now) => !now.includes("last")); // the end was the end: no presses are owed
  });
});
