/* eslint-disable no-control-regex -- control characters are what this file is about */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Guest } from "../../src/guest/guest.ts";
import { kept } from "./scene.ts";
import type { TestServer } from "../server/harness.ts";
import { NOW_MS, TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

/** What pages call themselves to do harm, or because that is how people write. */
const TITLES: [name: string, title: string][] = [
  ["plain", "Basket (2)"],
  ["escapes", "\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u009b1m"],
  ["graphics", "\u001b_Gi=1,a=d\u001b\\\u001bPq#0~\u001b\\"],
  ["newlines", "first\nsecond\r\nthird\ttabbed"],
  ["megabyte", "界".repeat(500_000)],
  ["cjk", "収支報告書と請求書の一覧"],
  ["emoji", "👩‍💻 ❤️ 🇩🇪 👍🏽 done"],
  ["rtl", "שלום עולם مرحبا"],
  ["overrides", "\u202eevil\u202c \u2066isolated\u2069 \u200fmark"],
  ["combining", `z${"\u0301\u0316".repeat(20)}algo e\u0301`],
  ["invisible", "zero\u200bwidth\u2060joined\ufeff"],
];

const MEANT = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

for (const [width, height] of [
  [80, 24],
  [130, 30],
] as const)
  test(`what pages call themselves, at ${width}x${height}: harmless, and columns stay columns`, async () => {
    await using tui = await TuiWorld.open({
      width,
      height,
      prepare: ({ engine }) => {
        for (const [name, title] of TITLES) {
          engine.add(name, {
            labels: {},
            control: { holder: "human", link: null, label: "anna", since: new Date(0).toISOString() },
          });
          engine.pages.set(name, { url: `https://a.example/${title.slice(0, 300)}`, title, tabs: 1 });
        }
        const tab = { active: false, isolated: true, context: "C", opener: null };
        engine.guests.set("plain", {
          tabs: async () => ({
            items: TITLES.map(([name, title]) => ({
              ...tab,
              id: name,
              title,
              url: `https://a.example/${title.slice(0, 300)}`,
            })),
          }),
          screenshot: () => new Promise(() => {}),
        } as unknown as Guest);
      },
    });
    const list = await tui.until("Basket");
    columnsHold(list, width, "●", TITLES.length);
    columnsHold(list, width, " anna", TITLES.length);
    expect(kept(list)).toMatchSnapshot("the list");

    for (let at = 0; at < TITLES.length; at++) {
      await tui.press("g", ...Array.from({ length: at }, () => "j"), "RETURN");
      const one = await tui.until("1 overview".slice(width < 100 ? 2 : 0));
      expect(one).not.toMatch(MEANT);
      for (const line of one.replace(/\n$/, "").split("\n")) expect(Bun.stringWidth(line)).toBe(width);
      await tui.press("q");
      await tui.until("STATUS");
    }

    // In the order of names: `plain` is the one with the tabs.
    await tui.press("/", ..."plain", "RETURN", "RETURN", "2");
    const tabs = await tui.until("COOKIES");
    columnsHold(tabs, width, " own", tabs.split(" own").length - 1);
    expect(kept(tabs)).toMatchSnapshot("tabs");
  });

/** The text begins in the same cell in all lines that have it, every line is as wide as the screen, nothing in it is for the terminal. */
function columnsHold(frame: string, width: number, text: string, count: number): void {
  expect(frame).not.toMatch(MEANT);
  const lines = frame.replace(/\n$/, "").split("\n");
  for (const line of lines) expect(Bun.stringWidth(line), line).toBe(width);
  const cells = lines
    .slice(2)
    .flatMap((line) => (line.includes(text) ? [Bun.stringWidth(line.slice(0, line.lastIndexOf(text)))] : []));
  expect(cells).toHaveLength(count);
  expect(new Set(cells).size).toBe(1);
}

test("a paste of 100 KB of it into every field there is", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("demo") });
  await tui.until("demo");
  const paste = TITLES.map(([, title]) => title.slice(0, 2_000)).join(" ").repeat(40).slice(0, 100_000); // prettier-ignore
  for (const key of ["/", ":", "?", "v", "c"] as const) {
    await tui.press(key);
    await tui.until(() => tui.store.state.overlay !== null);
    await tui.screen.mockInput.pasteBracketedText(paste);
    const frame = await tui.until(
      (shown) => shown.includes("first␊second") || shown.includes("joined") || shown.includes("界"),
    );
    expect(frame).not.toMatch(MEANT);
    await tui.press("ESCAPE");
    await tui.until(() => tui.store.state.overlay === null);
  }
});

test("a clock that goes backwards makes nothing older than it is: a VM of the future is new", async () => {
  const prepare = ({ engine }: TestServer) => {
    engine.add("later").created_at = new Date(NOW_MS + 3_600_000).toISOString();
    engine.add("now").created_at = new Date(NOW_MS - 120_000).toISOString();
  };
  await using tui = await TuiWorld.open({ prepare });
  const frame = await tui.until("later");
  const ageOf = (name: string) =>
    / (-?\d+[smhd]) /.exec(frame.split("\n").find((row) => row.includes(` ${name} `))!)?.[1];
  expect(ageOf("now")).toBe("2m");
  expect(ageOf("later")).toBe("0s");
  tui.store.update(({ connection }) => void Object.assign(connection, { status: "offline", sinceMs: NOW_MS + 60_000 }));
  expect(await tui.until("✖ offline 0s")).not.toMatch(/-\d/);
});
