import { expect, test } from "bun:test";
import { type Commands } from "../../src/tui/commands/commands.ts";
import { RunningCommands } from "../../src/tui/commands/running.ts";
import { TuiWorld } from "./world.ts";

test("a command goes on when its pane is closed, and its end is told", async () => {
  await using tui = await TuiWorld.open({ prepare: ({ engine }) => void engine.add("demo") });
  await tui.until("demo");
  await tui.press(":", ..."vms watch", "RETURN");
  await tui.until("ctrl-c ends it");
  await tui.press("ESCAPE");
  await tui.until((frame) => !frame.includes("ctrl-c ends it"));
  const ended = tui.running.end(10_000);
  await tui.until(/vms watch: (done|exit code \d+)/);
  await ended;
});

test("leaving ends what runs and waits for what it undoes, but not for ever", async () => {
  const running = new RunningCommands();
  const undone = Promise.withResolvers<void>();
  const run: Commands["run"] = async (_line, _write, signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await undone.promise;
    return 130;
  };
  const stop = new AbortController();
  running.add(
    stop,
    run("try", () => {}, stop.signal),
  );
  let isOver = false;
  const first = running.end(60_000).then(() => void (isOver = true));
  expect(stop.signal.aborted).toBe(true);
  await running.end(0); // another one that has no patience
  expect(isOver).toBe(false);
  undone.resolve();
  await first;
  await running.end(60_000);
});
