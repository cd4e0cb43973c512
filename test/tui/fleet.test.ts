import { expect, test } from "bun:test";
import type { TestServer } from "../server/harness.ts";
import { TuiWorld } from "./world.ts";

function threeVms({ engine }: TestServer): void {
  engine.add("web-1", { labels: { team: "web" } });
  engine.add("web-2", { labels: { team: "web" }, status: "crashed", status_reason: "out of memory" });
  engine.add("qa-1", { labels: { team: "qa" }, status: "stopped" });
  engine.pages.set("web-1", { url: "https://shop.example/basket", title: "Basket (2)", tabs: 1 });
}

for (const [width, height] of [
  [60, 15],
  [80, 24],
  [120, 40],
  [200, 60],
] as const)
  test(`the fleet at ${width}x${height}`, async () => {
    await using tui = await TuiWorld.open({ width, height, prepare: threeVms });
    expect(await tui.until("Basket")).toMatchSnapshot();
  });

test("a filter finds as it is typed; enter keeps it, escape takes it away", async () => {
  await using tui = await TuiWorld.open({ prepare: threeVms });
  await tui.until("qa-1");
  await tui.press("/", "t", "e", "a", "m", "=", "q", "a");
  const filtered = await tui.until("1 of 3");
  expect(filtered).toContain("qa-1");
  expect(filtered).not.toContain("web-1");
  await tui.press("RETURN");
  expect(await tui.until((frame) => frame.includes("q quit"))).not.toContain("web-1");
  await tui.press("/", "ESCAPE");
  await tui.until("web-1");
});

test("what happens on the server is seen: a new VM, a deletion, and the cursor stays on something that is there", async () => {
  await using tui = await TuiWorld.open({ prepare: threeVms });
  await tui.until("❯ qa-1");
  tui.server.engine.add("new-one");
  await tui.until("new-one");
  await tui.press("G");
  await tui.until("❯ web-2");
  await tui.server.engine.delete("web-2");
  await tui.until((frame) => frame.includes("❯ web-1") && !frame.includes("web-2"));
});

test("deleting asks first; several want a name to be typed", async () => {
  await using tui = await TuiWorld.open({ prepare: threeVms });
  await tui.until("qa-1");
  await tui.press("D");
  await tui.until("Delete qa-1?");
  await tui.press("n");
  await tui.until((frame) => !frame.includes("Delete qa-1?"));
  expect(tui.server.engine.rows.size).toBe(3);
  await tui.press("a", "D");
  await tui.until("Delete 3 VMs?");
  await tui.press("RETURN");
  expect(tui.server.engine.rows.size).toBe(3);
  await tui.press(..."qa-1", "RETURN");
  await tui.until("No VMs");
  expect(tui.server.engine.rows.size).toBe(0);
});

test("what pages call themselves does nothing to the terminal, and columns stay columns", async () => {
  const titles = [
    "\u001b]0;owned\u0007\u001b[2J",
    "収支報告 👩‍💻 résumé",
    "‮evil‬",
    `${"界".repeat(500_000)}`,
    "a\nb\tc",
    "שלום עולם",
  ];
  await using tui = await TuiWorld.open({
    height: 20,
    prepare: ({ engine }) => {
      for (const [at, title] of titles.entries()) {
        engine.add(`vm-${at}`, { labels: { "x.y/z": title.slice(0, 200) } });
        engine.pages.set(`vm-${at}`, { url: `https://a.example/${title.slice(0, 500)}`, title, tabs: 1 });
      }
    },
  });
  const frame = await tui.until("収支報告");
  // eslint-disable-next-line no-control-regex
  expect(frame).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(frame).toMatchSnapshot();
});

test("500 VMs: the ends, a page, marks and groups", async () => {
  await using tui = await TuiWorld.open({
    prepare: ({ engine }) => {
      for (let at = 0; at < 500; at++) engine.add(`vm-${at}`, { labels: { team: at % 2 ? "odd" : "even" } });
    },
  });
  await tui.until("500 VMs");
  await tui.press("G");
  await tui.until("❯ vm-499");
  await tui.press("g");
  tui.screen.mockInput.pressKey("d", { ctrl: true });
  await tui.until("❯ vm-10");
  await tui.press("a");
  await tui.until("500 marked");
  await tui.press("a", "b");
  await tui.until("▾ team=even (250)");
  await tui.press("o", "O");
  await tui.until("STATUS▼");
});
