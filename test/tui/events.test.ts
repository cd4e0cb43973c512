import { expect, test } from "bun:test";
import { TuiWorld } from "./world.ts";

test("events of all VMs: newest first, filtered as it is typed, enter goes to the VM", async () => {
  await using tui = await TuiWorld.open({
    height: 20,
    prepare: ({ engine }) => {
      engine.add("a-1");
      engine.emit("VM_CRASHED", engine.add("b-2"));
    },
  });
  await tui.until("b-2");
  await tui.press("e");
  const frame = await tui.until("VM_CRASHED");
  expect(frame.indexOf("VM_CRASHED")).toBeLessThan(frame.indexOf("VM_CREATED"));
  await tui.press("/", ..."created a-1", "RETURN");
  expect(await tui.until("1 of 3")).not.toContain("VM_CRASHED");
  await tui.press("/", "ESCAPE");
  await tui.until("VM_CRASHED");
  await tui.press("G", "RETURN");
  await tui.until((shown) => shown.includes("1 overview") && shown.includes(" a-1 "));
  await tui.press("q", "e", "g");
  await tui.server.engine.delete("b-2");
  await tui.until((shown) => shown.includes("VM_DELETED") && shown.includes(" 1 VM "));
  await tui.press("RETURN");
  await tui.until("that VM is gone");
});

test("a crash is told in the corner until it is dismissed", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("a-1") });
  await tui.until("a-1");
  tui.server.engine.emit("VM_CRASHED", tui.server.engine.get("a-1"));
  await tui.until("a-1 crashed");
  await tui.press("x");
  await tui.until((frame) => !frame.includes("a-1 crashed"));
});
