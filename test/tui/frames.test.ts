import { expect, setDefaultTimeout, test } from "bun:test";
import { choose, keepSome, kept, openScene } from "./scene.ts";
import { TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

const SIZES = [
  [60, 15],
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

type Scene = [name: string, go: (tui: TuiWorld) => Promise<unknown>, ready: string | RegExp];

const pane = (key: string) => async (tui: TuiWorld) => {
  await choose(tui, "shop");
  await tui.press("RETURN", key as "1");
};

const SCENES: Scene[] = [
  ["fleet", (tui) => choose(tui, "shop"), "❯ shop"],
  ["fleet, marked, grouped and filtered", (tui) => tui.press("b", "a", "/", ..."team", "RETURN"), "marked"],
  ["filter", (tui) => tui.press("/", ..."crawl"), "2 of 6"],
  ["overview", pane("1"), "% of 1"],
  ["tabs", pane("2"), "Chapter 1"],
  ["console", pane("3"), "line 199"],
  ["logs", pane("4"), "agent: request 79"],
  ["network", pane("5"), "part-40.js"],
  ["events of a VM", pane("6"), "VM_PAUSED"],
  [
    "artifacts",
    async (tui) => {
      await keepSome(tui, "shop");
      await pane("7")(tui);
    },
    "invoice-25.pdf",
  ],
  ["configuration", pane("8"), "kernel_cmdline|memory_mb"],
  [
    "console, searched and wrapped",
    async (tui) => {
      await pane("3")(tui);
      await tui.until("line 199");
      await tui.press("w", "/", ..."needle", "RETURN", "N");
    },
    "3 of 4",
  ],
  [
    "a VM that boots",
    async (tui) => {
      await choose(tui, "booting");
      await tui.press("RETURN");
    },
    "browser …",
  ],
  [
    "a VM that crashed",
    async (tui) => {
      await choose(tui, "login-check");
      await tui.press("RETURN");
    },
    "out of memory",
  ],
  [
    "the page alone",
    async (tui) => {
      await pane("1")(tui);
      await tui.until("% of 1");
      await tui.press("z");
    },
    "waiting for the first picture",
  ],
  ["events", (tui) => tui.press("e", "j"), "VM_CRASHED"],
  ["help", (tui) => tui.press("?"), "Keys: all VMs"],
  [
    "help of a pane",
    async (tui) => {
      await pane("3")(tui);
      await tui.until("line 199");
      await tui.press("?", ..."log");
    },
    "Keys: this VM",
  ],
  ["palette", (tui) => tui.press(":", ..."vms "), "List VMs"],
  [
    "output of a command",
    async (tui) => {
      await tui.press(":", ..."vms get shop --json", "RETURN");
    },
    "exit code|done; enter closes",
  ],
  ["create", (tui) => tui.press("c", ..."Bad Name"), "name: must be"],
  [
    "create, picking an image",
    async (tui) => {
      await tui.press("c", ..."shop-2", "TAB", "TAB", "TAB");
      await tui.until("Chromium");
      await tui.press("ARROW_DOWN");
    },
    "❯ 0123456789abcdef",
  ],
  [
    "create, picking what it may reach",
    async (tui) => {
      await tui.press("c", ..."shop-2");
      for (let at = 0; at < 7; at++) await tui.press("TAB");
    },
    "public addresses only",
  ],
  ["confirm", (tui) => tui.press("D"), "Delete booting\\?"],
  ["confirm several", (tui) => tui.press("a", "D"), "Delete 6 VMs"],
  [
    "menu",
    async (tui) => {
      await choose(tui, "shop");
      await tui.press("y");
    },
    "Copy of shop",
  ],
  ["columns", (tui) => tui.press("C"), "Columns"],
  ["prompt", (tui) => tui.press("v", ..."shop.example"), "Open in"],
  [
    "messages",
    async (tui) => {
      tui.store.toast("good", "shop is running");
      tui.store.toast("bad", `login-check crashed: ${"the guest ran out of memory ".repeat(6)}`, true);
    },
    "x to dismiss",
  ],
];

test.each(SCENES)("%s", async (_name, go, ready) => {
  await using tui = await openScene();
  await go(tui);
  await tui.until(new RegExp(ready));
  await sizes(tui, ready);
});

/** The same screen at every size. */
async function sizes(tui: TuiWorld, ready: string | RegExp): Promise<void> {
  for (const [width, height] of SIZES) {
    tui.screen.resize(width, height);
    const frame = await tui.until((shown) => {
      const lines = shown.trimEnd().split("\n");
      return Bun.stringWidth(lines[0] ?? "") === width && lines.length <= height && new RegExp(ready).test(shown);
    });
    expect(kept(frame)).toMatchSnapshot(`${width}x${height}`);
  }
}

test("no server", async () => {
  await using tui = await TuiWorld.open({ address: "http://127.0.0.1:1" });
  await sizes(tui, "no server answers");
});

test("asked for a key", async () => {
  await using tui = await TuiWorld.open({ key: `hype_${"w".repeat(43)}` });
  await sizes(tui, "Key for 127.0.0.1:7777");
});

test("smaller than anything can be read on", async () => {
  await using tui = await openScene();
  for (const [width, height] of [
    [59, 15],
    [60, 14],
    [20, 3],
    [1, 1],
  ] as const) {
    tui.screen.resize(width, height);
    const frame = await tui.until((shown) => Bun.stringWidth(shown.split("\n")[0] ?? "") === width);
    expect(kept(frame)).toMatchSnapshot(`${width}x${height}`);
  }
  tui.screen.resize(60, 15);
  await tui.until("❯ booting");
});
