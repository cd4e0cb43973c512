import { expect, setDefaultTimeout, test } from "bun:test";
import type { AgentHealth } from "../../src/contract/index.ts";
import { ended, processesOf } from "../lib/chromium.ts";
import { request, World } from "./world.ts";

setDefaultTimeout(60_000); // a real Chromium starts twice here

const chromiumOf = ({ chromium }: AgentHealth): number => Number(chromium.pid);

test("the engine over the real agent and a real Chromium: boot, death, pause, adoption, deletion", async () => {
  await using first = new World();
  first.driver.guest = "agent";
  const vm = await first.engine.create(request("demo"));
  expect(vm.status).toBe("running");
  const guest = first.engine.guest("demo");
  const evaluated = await guest.evaluate({ expression: "6 * 7", await_promise: true, timeout_ms: 10_000 });
  expect(evaluated.value).toBe(42);

  process.kill(chromiumOf(await guest.health()), "SIGKILL");
  expect((await first.event("VM_BROWSER_DIED")).data.restarts).toBe(1);
  await first.event("VM_BROWSER_READY");
  expect(first.engine.get("demo")).toMatchObject({ status: "running", browser_restarts: 1 });

  await first.engine.pause("demo");
  await first.engine.resume("demo");
  first.die();

  await using second = await first.next();
  expect(second.engine.get("demo")).toMatchObject({ status: "running", pid: vm.pid, browser_restarts: 1 });
  expect((await second.engine.guest("demo").health()).chromium.ready).toBe(true);

  const chromium = processesOf(chromiumOf(await second.engine.guest("demo").health()));
  await second.engine.delete("demo");
  expect(second.leftovers()).toEqual([]);
  await ended(chromium);
});
