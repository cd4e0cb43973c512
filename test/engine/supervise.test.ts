import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { HypeError, Vm } from "../../src/contract/index.ts";
import { exitReason } from "../../src/engine/exit-reason.ts";
import { request, until, World } from "./world.ts";

setDefaultTimeout(30_000); // real processes on a machine that may be busy

const processes = (world: World) => world.leftovers().filter((what) => what.startsWith("process"));

describe("a VM that ends by itself", () => {
  const cases: { name: string; end: (world: World, vm: Vm) => unknown; status: string; reason: RegExp }[] = [
    {
      name: "its VMM is killed",
      end: (_, vm) => process.kill(Number(vm.pid), "SIGKILL"),
      status: "crashed",
      reason: /^the VMM process was killed by SIGKILL$/,
    },
    {
      name: "its VMM ends with an error",
      end: (world, vm) => world.order(vm, "exit", "4"),
      status: "crashed",
      reason: /^the VMM process ended with exit code 4$/,
    },
    {
      name: "its kernel panics",
      end: (world, vm) => world.order(vm, "panic"),
      status: "crashed",
      reason: /^the guest kernel panicked$/,
    },
    {
      name: "it asks for a reset",
      end: (world, vm) => world.order(vm, "reset"),
      status: "crashed",
      reason: /asked for a reset/,
    },
    {
      name: "somebody inside powers it off",
      end: (world, vm) => world.order(vm, "power-off"),
      status: "stopped",
      reason: /^the guest powered itself off$/,
    },
  ];
  for (const { name, end, status, reason } of cases)
    test(`${name}: ${status}, with the reason`, async () => {
      await using world = new World();
      const vm = await world.engine.create(request("demo"));
      const { signal } = world.engine.whenGone("demo");
      await end(world, vm);
      const event = await world.event(status === "crashed" ? "VM_CRASHED" : "VM_STOPPED");
      expect(String(event.data.reason)).toMatch(reason);
      expect(world.engine.get("demo")).toMatchObject({ status, pid: null, endpoint: null, ip_address: vm.ip_address });
      expect((signal.reason as HypeError).message).toMatch(reason);
      if (status === "crashed") expect(world.engine.get("demo").console_tail).toContain("stub kernel booting");
      expect(processes(world)).toEqual([]);
      expect((await world.engine.start("demo")).status).toBe("running");
    });

  test("what a VMM said last stands in the reason", () => {
    const exit = { exitCode: 1, signal: null, guestShutdown: false, guestFault: null };
    expect(exitReason({ ...exit, output: "\x1b[31mcannot map memory\x1b[0m\n" })).toBe(
      "the VMM process ended with exit code 1: cannot map memory",
    );
    expect(exitReason({ ...exit, exitCode: null, output: "" })).toBe("the VMM process is gone");
  });
});

describe("the agent", () => {
  test("one that stays silent means a crashed VM, and the VMM is ended", async () => {
    await using world = new World({ timing: { agentLostMs: 200 } });
    const vm = await world.engine.create(request("demo"));
    const { signal } = world.engine.whenGone("demo");
    await world.order(vm, "be-listened-to");
    await world.order(vm, "go-silent");
    expect((await world.event("VM_CRASHED")).data.reason).toMatch(/^agent lost: no answer for/);
    expect(signal.aborted).toBe(true);
    expect(processes(world)).toEqual([]);
  });

  test("one that only hangs up is listened to again", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    await world.order(vm, "be-listened-to");
    await world.order(vm, "hang-up");
    await world.order(vm, "browser-died", "said to nobody");
    const event = await world.event("VM_BROWSER_DIED");
    expect(["said to nobody", "Chromium died while the agent could not be heard"]).toContain(String(event.data.reason));
    expect(world.engine.get("demo")).toMatchObject({ status: "running", browser_restarts: 1 });
  });
});

describe("Chromium", () => {
  test("its death and its return are told; the VM stays running", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    await world.order(vm, "be-listened-to");
    for (const round of [1, 2]) {
      await until(() => world.types().at(-1) === (round === 1 ? "VM_RUNNING" : "VM_BROWSER_READY"));
      await world.order(vm, "browser-died", "killed by\x1b[31m SIGKILL");
      await until(() => world.types().at(-1) === "VM_BROWSER_DIED");
      await world.order(vm, "browser-ready");
      await until(() => world.types().at(-1) === "VM_BROWSER_READY");
      expect(world.engine.get("demo")).toMatchObject({ status: "running", browser_restarts: round });
    }
    expect((await world.event("VM_BROWSER_DIED")).data).toEqual({ reason: "killed by [31m SIGKILL", restarts: 1 });
  });

  test("a guest that tells without end fills nobody's journal", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    await world.order(vm, "be-listened-to");
    await world.order(vm, "browser-died", "0");
    await world.event("VM_BROWSER_DIED");
    for (let n = 1; n < 100; n++) await world.order(vm, "browser-died", String(n));
    await world.order(vm, "power-off");
    await world.event("VM_STOPPED");
    expect(world.types().filter((type) => type.startsWith("VM_BROWSER")).length).toBeLessThanOrEqual(20);
  });
});
