import { expect, setDefaultTimeout, test } from "bun:test";
import { choose, keepSome, openScene } from "./scene.ts";
import type { TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

async function paneOf(tui: TuiWorld, key: string, ready: string | RegExp): Promise<string> {
  await choose(tui, "shop");
  await tui.press("RETURN", key as "1");
  return await tui.until(ready);
}

/** Of panes that begin at their top: their key, what stands at the top, what at the very end. */
const SCROLLED: [name: string, key: string, first: string, last: string | RegExp][] = [
  ["overview", "1", "page        Basket", "anna.lee"],
  ["tabs", "2", "Chapter 1 ", "Chapter 30"],
  ["network", "5", "10.0.0.1:22", /part-1\.js/],
  ["events", "6", "VM_PAUSED", "VM_CREATED"],
  ["artifacts", "7", "invoice-25.pdf", "invoice-1.pdf"],
  ["configuration", "8", "generation", "updated_at"],
];
test.each(SCROLLED)("%s: to its end and no farther, one line up, back to its top", async (_name, key, first, last) => {
  await using tui = await openScene({ width: 70, height: 15 });
  if (key === "7") await keepSome(tui, "shop");
  await paneOf(tui, key, first);
  await tui.press("G", "j", "j");
  tui.screen.mockInput.pressKey("d", { ctrl: true });
  await tui.until(last);
  const { seen } = tui.store.state.detail!;
  expect(tui.store.state.detail!.scroll.top).toBe(seen.most);
  expect(seen.most).toBeGreaterThan(0);
  await tui.press("k");
  await tui.until(() => tui.store.state.detail!.scroll.top === seen.most - 1);
  await tui.press("g");
  await tui.until(first);
});

test("facts that are long are wrapped, not cut", async () => {
  await using tui = await openScene({ width: 70, height: 40 });
  const frame = await paneOf(tui, "8", "kernel_cmdline");
  const words = frame.match(/loglevel=3/g)?.length;
  expect(words).toBe(8);
});

test("a log: scrolled by a line it stands a line higher, and is followed again at its end", async () => {
  await using tui = await openScene({ width: 80, height: 24 });
  const end = await paneOf(tui, "3", "line 199");
  const first = /line (\d+) /.exec(end)![1]!;
  await tui.press("k");
  const higher = await tui.until(`line ${Number(first) - 1} `);
  expect(higher).not.toContain("line 199");
  await tui.press("j");
  await tui.until("at the end of 200");
  await tui.press("f");
  await tui.until(/line 1\d\d of 200/);
  await tui.press("f");
  await tui.until("at the end of 200");
});

test("a search of the console: next and before, round the ends; enter keeps it, escape ends it", async () => {
  await using tui = await openScene({ width: 80, height: 24 });
  await paneOf(tui, "3", "line 199");
  expect(tui.screen.captureCharFrame()).not.toContain("n next");
  await tui.press("/", ..."NEEDLE");
  await tui.until("/NEEDLE: 4 of 4");
  await tui.press("RETURN", "n");
  await tui.until((frame) => frame.includes("1 of 4") && frame.includes("needle 20"));
  await tui.press("n");
  await tui.until((frame) => frame.includes("2 of 4") && frame.includes("needle 70"));
  await tui.press("N", "N");
  await tui.until((frame) => frame.includes("4 of 4") && frame.includes("needle 170"));
  await tui.press("/", "ESCAPE");
  await tui.until((frame) => !frame.includes("NEEDLE"));
});

test("wrapped lines are whole", async () => {
  await using tui = await openScene({ width: 60, height: 40 });
  await paneOf(tui, "3", "needle 170");
  await tui.press("w");
  const frame = await tui.until("wrapped");
  expect(
    frame
      .replaceAll(/[│┃\n]/g, " ")
      .replaceAll(/\s+/g, " ")
      .match(/a long line that does not fit into a narrow terminal/g),
  ).toHaveLength(3);
  await tui.press("w");
  await tui.until((shown) => !shown.includes("wrapped"));
});

test("a wrapped line that is longer than the pane is gone through row by row, and what is searched deep in it is seen", async () => {
  await using tui = await openScene({ width: 80, height: 24 });
  await paneOf(tui, "3", "line 199");
  const parts = Array.from({ length: 300 }, (_, n) => `part-${n}`).join(" ");
  tui.store.update(({ detail }) => void detail!.lines!.push(`${parts} end-of-it\nafter it\n`));
  await tui.press("w");
  await tui.until((frame) => frame.includes("after it") && frame.includes("part-299") && !frame.includes("part-9 "));
  const rows = () => tui.store.state.detail!.scroll.row;
  const shown: string[] = [];
  for (let nth = 0; nth < 30; nth++) {
    const before = tui.store.state.detail!.scroll;
    await tui.press("k");
    await tui.until(() => tui.store.state.detail!.scroll !== before);
    shown.push(tui.screen.captureCharFrame());
  }
  for (const n of [0, 9, 150, 299]) expect(shown.some((frame) => frame.includes(`part-${n} `))).toBe(true);
  await tui.press("G");
  await tui.until("at the end");
  await tui.press("/", ..."PART-150");
  await tui.until((frame) => frame.includes("part-150 ") && frame.includes("1 of 1"));
  expect(rows()).toBeGreaterThan(3);
  await tui.press("ESCAPE");
});

test("the page is enlarged where it is shown and nowhere else; another pane is as large as panes are", async () => {
  await using tui = await openScene();
  await paneOf(tui, "3", "line 199");
  await tui.press("z");
  await tui.press("1");
  await tui.until("1 overview");
  await tui.press("z");
  await tui.until((frame) => !frame.includes("1 overview"));
  await tui.press("TAB");
  await tui.until("2 tabs");
  await tui.press("1");
  await tui.until("address");
});

test("a picture that is old says so", async () => {
  await using tui = await openScene();
  await paneOf(tui, "1", "waiting for the first picture");
  tui.store.update(
    ({ detail }) => void (detail!.picture = { bytes: new Uint8Array(), atMs: tui.store.now() - 75_400 }),
  );
  await tui.until("page, 1 min 15 s old");
  tui.store.update(({ detail }) => void (detail!.picture = { bytes: new Uint8Array(), atMs: tui.store.now() - 3_000 }));
  await tui.until((frame) => frame.includes("╭─ page ─") && !frame.includes(" old"));
});

test("a boot is followed: each phase as it is reached, until it runs", async () => {
  await using tui = await openScene();
  await choose(tui, "booting");
  await tui.press("RETURN");
  await tui.until((frame) => frame.includes("✔ kernel and agent  6.2 s") && frame.includes("◔ browser …"));
  const { engine } = tui.server;
  const vm = engine.get("booting");
  const at = new Date(Date.parse(vm.updated_at) + 9_000).toISOString();
  engine.append({ type: "VM_BOOT_PROGRESS", vm_id: vm.id, vm_name: vm.name, at, data: { phase: "browser" } });
  await tui.until((frame) => frame.includes("✔ browser  9.0 s") && frame.includes("◔ profile shop …"));
  vm.status = "running";
  engine.emit("VM_RUNNING", vm);
  await tui.until((frame) => frame.includes("● running") && !frame.includes("boot  "));
});
