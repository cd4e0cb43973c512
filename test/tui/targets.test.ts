import { expect, test } from "bun:test";
import { TuiWorld } from "./world.ts";

/** Actions mean what is seen. */
const three = ({ engine }: TuiWorld["server"]) => ["one", "other", "third"].forEach((name) => engine.add(name));
const stopped = ({ server }: TuiWorld) => server.engine.calls.filter((call) => call.startsWith("pause ")).length;

test("marked VMs that the filter hides are left alone, and the head says how many", async () => {
  await using tui = await TuiWorld.open({ prepare: three });
  await tui.until("third");
  await tui.press("a", "/", ..."o", "RETURN");
  expect(await tui.until("3 marked, 1 hidden")).not.toContain("third ");
  await tui.press("D");
  const asked = await tui.until("Delete 2 VMs?");
  expect(asked).toContain("one, other");
});

test("a chosen VM that is no longer shown is not acted on", async () => {
  await using tui = await TuiWorld.open({ prepare: three });
  await tui.until("third");
  await tui.press("/", ..."one", "RETURN");
  await tui.until("1 of 3");
  tui.store.update(({ vms }) => {
    for (const [id, vm] of vms) if (vm.name === "one") vms.set(id, { ...vm, name: "renamed" });
  });
  await tui.until("0 of 3");
  await tui.press("p", "RETURN", "space");
  await tui.until((frame) => !frame.includes("marked") && frame.includes("0 of 3"));
  expect(stopped(tui)).toBe(0);
  expect(tui.store.state.screen.name).toBe("fleet");
});

test("the chosen event stays chosen when others come", async () => {
  await using tui = await TuiWorld.open({ prepare: three });
  await tui.until("third");
  await tui.press("e");
  const chosenIn = (frame: string) => /❯.*?VM_\w+ +(\S+)/.exec(frame)?.[1];
  expect(chosenIn(await tui.until("VM_CREATED"))).toBe("third");
  await tui.press("j");
  expect(chosenIn(await tui.until((frame) => chosenIn(frame) === "other"))).toBe("other");
  tui.server.engine.add("fourth");
  expect(chosenIn(await tui.until("fourth"))).toBe("other");
  await tui.press("k", "k");
  await tui.until((frame) => chosenIn(frame) === "fourth");
  tui.server.engine.add("fifth");
  await tui.until((frame) => chosenIn(frame) === "fifth");
});
