import { expect, test } from "bun:test";
import { TuiWorld } from "./world.ts";

test("of more messages than there is room for, those that were seen go first", async () => {
  await using tui = await TuiWorld.open({ height: 24 });
  for (let at = 1; at <= 9; at++) tui.store.toast("bad", `fault ${at}`, true);
  const first = await tui.until("more before");
  const shown = (frame: string) => [...frame.matchAll(/fault (\d)/g)].map(([, at]) => Number(at));
  expect(shown(first)).toEqual([6, 7, 8, 9]);
  expect(first).toContain("5 more before");
  await tui.press("x");
  expect(shown(await tui.until("1 more before"))).toEqual([2, 3, 4, 5]);
  await tui.press("x");
  expect(shown(await tui.until("fault 1"))).toEqual([1]);
  await tui.press("x");
  await tui.until((frame) => shown(frame).length === 0);
});

test("one that comes after the frame was drawn is not dismissed with those that were on it", async () => {
  await using tui = await TuiWorld.open({ height: 24 });
  tui.store.toast("bad", "the old one", true);
  await tui.until("the old one");
  // Between the frame a person looks at and the next one.
  tui.store.toast("bad", "the new one", true);
  tui.screen.mockInput.pressKey("x");
  const frame = await tui.until((shown) => !shown.includes("the old one"));
  expect(frame).toContain("the new one");
});
