import { expect, setDefaultTimeout, test } from "bun:test";
import { BINDINGS } from "../../src/tui/keys/bindings.ts";
import { bindingsFor, findBinding, keyNamed, nameOf, whereOf } from "../../src/tui/keys/match.ts";
import { choose, openScene } from "./scene.ts";
import { TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

test("the name of every key in the table is the key's own name", () => {
  for (const key of new Set(BINDINGS.flatMap(({ keys }) => keys))) expect(nameOf(keyNamed(key))).toBe(key);
});

/** Everything that lies over the screen, and the key that ends it. */
const OVERLAYS = ["c", ":", "?", "/", "D", "y", "C", "v"] as const;

test.each(OVERLAYS)(
  "over the screen (%s) the footer tells only what works there, and ctrl-z and ctrl-l do",
  async (key) => {
    await using tui = await openScene();
    await choose(tui, "shop");
    await tui.press(key);
    await tui.until(() => tui.store.state.overlay !== null);
    const footer = (await tui.until("esc")).trimEnd().split("\n").at(-1)!;
    expect(footer).not.toMatch(/\? help|: command|q quit/);
    const { state } = tui.store;
    for (const { keys, footer: word, action } of bindingsFor(whereOf(state), state))
      if (word) expect(findBinding(whereOf(state), keys[0]!, state)?.action).toBe(action);
    tui.screen.mockInput.pressKey("z", { ctrl: true });
    await tui.until(() => tui.seen.suspends === 1);
    tui.screen.mockInput.pressKey("l", { ctrl: true });
    await tui.press("ESCAPE");
    await tui.until((frame) => tui.store.state.overlay === null && frame.includes("q quit"));
  },
);

test("in every place each key is told once", async () => {
  await using tui = await openScene();
  await choose(tui, "shop");
  const told = () => {
    const { state } = tui.store;
    return bindingsFor(whereOf(state), state).map(({ keys, action }) => `${keys.join()} ${action}`);
  };
  const once = (list: string[]) => expect(list.filter((one, at) => list.indexOf(one) !== at)).toEqual([]);
  once(told());
  await tui.press("RETURN");
  for (const pane of "12345678") {
    await tui.press(pane);
    await tui.until(() => tui.store.state.screen.name === "vm");
    once(told());
  }
});

test("without a server the help tells the keys there are without one", async () => {
  await using tui = await TuiWorld.open({ address: "http://127.0.0.1:1" });
  await tui.until("no server answers");
  await tui.press("?");
  const help = await tui.until("Keys: no server");
  expect(help).toContain("Try again now");
  expect(help).not.toContain("Create a VM");
});

test("a pane has its own keys in the footer, and no other's", async () => {
  await using tui = await openScene();
  await choose(tui, "shop");
  await tui.press("RETURN");
  const footer = (frame: string) => frame.trimEnd().split("\n").at(-1)!;
  expect(footer(await tui.until("z zoom"))).not.toMatch(/follow|wrap|record/);
  await tui.press("3");
  expect(footer(await tui.until("f follow"))).not.toMatch(/zoom|record|other log|n next/);
  await tui.press("4");
  expect(footer(await tui.until("o other log"))).not.toMatch(/zoom|record/);
  await tui.press("5");
  expect(footer(await tui.until("r record"))).not.toMatch(/zoom|follow/);
});

test("nothing to act on: the footer offers no action on it", async () => {
  await using tui = await TuiWorld.open();
  const footer = (await tui.until("No VMs")).trimEnd().split("\n").at(-1)!;
  expect(footer).toContain("c create");
  expect(footer).not.toMatch(/open|mark|delete|visit/);
});
