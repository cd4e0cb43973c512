import { expect, setDefaultTimeout, test } from "bun:test";
import { choose, openScene } from "./scene.ts";
import type { TuiWorld } from "./world.ts";

setDefaultTimeout(30_000);

/** Where a text stands on the screen, in cells. */
async function placeOf(tui: TuiWorld, text: string): Promise<[x: number, y: number]> {
  const lines = (await tui.until(text)).split("\n");
  const y = lines.findIndex((line) => line.includes(text));
  const line = lines[y] ?? "";
  return [Bun.stringWidth(line.slice(0, line.indexOf(text))), y];
}

const clickOn = async (tui: TuiWorld, text: string) => await tui.screen.mockMouse.click(...(await placeOf(tui, text)));

test("heads of columns sort, and a second click turns the order round", async () => {
  await using tui = await openScene();
  await clickOn(tui, "STATUS");
  await tui.until("STATUS▲");
  await clickOn(tui, "STATUS");
  await tui.until("STATUS▼");
  await clickOn(tui, "CPU");
  await tui.until("CPU▼");
  await clickOn(tui, "ADDRESS");
  expect(tui.store.state.settings.sort).toEqual({ field: "cpu", descending: true });
});

test("names of panes, and the wheel in them", async () => {
  await using tui = await openScene({ width: 80, height: 24 });
  await choose(tui, "shop");
  await tui.press("RETURN");
  await clickOn(tui, "network");
  const [x, y] = await placeOf(tui, "10.0.0.1:22");
  await tui.screen.mockMouse.scroll(x, y, "down");
  await tui.until((frame) => !frame.includes("10.0.0.1:22"));
  await tui.screen.mockMouse.scroll(x, y, "up");
  await tui.until("10.0.0.1:22");
  await clickOn(tui, "console");
  await tui.until("line 199");
  await tui.screen.mockMouse.scroll(10, 10, "up");
  await tui.until((frame) => !frame.includes("line 199"));
});

test("a menu: the wheel moves, a click chooses; nothing below it is clicked", async () => {
  await using tui = await openScene();
  await choose(tui, "shop");
  await tui.press("y");
  const [x, y] = await placeOf(tui, "address");
  await tui.screen.mockMouse.scroll(x, y, "down");
  await tui.until(() => tui.store.state.overlay?.kind === "menu" && tui.store.state.overlay.cursor === 1);
  await tui.screen.mockMouse.click(3, 3); // a VM of the list
  expect(tui.store.state.fleet.cursor).toBe(tui.server.engine.get("shop").id);
  await tui.screen.mockMouse.click(x, y);
  await tui.until(() => tui.seen.copied.length > 0);
  expect(tui.seen.copied).toEqual([tui.server.engine.get("shop").ip_address]);
});

test("a question is answered by a click, and left by one on the footer", async () => {
  await using tui = await openScene();
  await choose(tui, "spare");
  await tui.press("D");
  await clickOn(tui, "esc close");
  await tui.until((frame) => !frame.includes("Delete spare?"));
  await tui.press("D");
  await clickOn(tui, "y yes    n no");
  await tui.until("spare deleted");
  expect(tui.server.engine.rows.has("spare")).toBe(false);
});

test("the palette: a click takes what is suggested", async () => {
  await using tui = await openScene();
  await tui.press(":", ..."vms l");
  await clickOn(tui, "List VMs");
  await tui.until("vms list ");
  expect(tui.store.state.overlay).toMatchObject({ kind: "palette", line: { text: "vms list " } });
});

test("the form: a click goes to a field and picks from its list", async () => {
  await using tui = await openScene();
  await tui.press("c");
  await clickOn(tui, "egress");
  await clickOn(tui, "private networks");
  await tui.until((frame) => /egress +open/.test(frame));
  expect(tui.store.state.overlay).toMatchObject({
    kind: "create",
    focus: "proxy",
    fields: { egress: { text: "open" } },
  });
});

test("the help scrolls by the wheel", async () => {
  await using tui = await openScene({ width: 80, height: 24 });
  await tui.press("?");
  const [x, y] = await placeOf(tui, "Next line");
  await tui.screen.mockMouse.scroll(x, y, "down");
  await tui.until((frame) => !frame.includes("Next line"));
});
