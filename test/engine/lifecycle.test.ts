import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { HypeError, type VmEvent } from "../../src/contract/index.ts";
import { gate, request, until, World } from "./world.ts";

setDefaultTimeout(30_000); // real processes on a machine that may be busy

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing thrown",
    (thrown: unknown) => (thrown instanceof HypeError ? thrown.code : String(thrown)),
  );
const reasonOf = (signal: AbortSignal): string => (signal.reason as HypeError).message;
const lastOf = (events: VmEvent[]) => events.at(-1);

describe("resize", () => {
  test("a stopped VM starts with its new size; name, address and policy stay", async () => {
    await using world = new World({ cpuCores: 4, memoryTotalMb: 8192 });
    const vm = await world.engine.create(request("a"));
    expect(await codeOf(world.engine.resize("a", { memory_mb: 2048 }))).toBe("vm_state_conflict");
    await world.engine.stop("a", { force: true });
    expect(await codeOf(world.engine.resize("a", { cpu_cores: 5 }))).toBe("insufficient_cpu");
    expect(await codeOf(world.engine.resize("a", { memory_mb: 9000 }))).toBe("insufficient_memory");
    expect(await world.engine.resize("a", { memory_mb: 2048, cpu_cores: 3 })).toMatchObject({
      memory_mb: 2048,
      cpu_cores: 3,
      ip_address: vm.ip_address,
      status: "stopped",
    });
    expect(world.types("a").at(-1)).toBe("VM_RESIZED");
    await world.engine.start("a");
    expect(world.driver.specs.at(-1)).toMatchObject({ memoryMb: 2048, cpuCores: 3 });
  });
});

describe("stop", () => {
  test("the agent powers the guest off; network and files go, row, lease and logs stay", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    const { signal } = world.engine.whenGone("demo");
    const vm = await world.engine.stop("demo");
    expect(vm).toMatchObject({ status: "stopped", status_reason: null, pid: null, endpoint: null });
    expect(vm.ip_address).toBe("192.168.127.2");
    expect(world.types().slice(-2)).toEqual(["VM_STOPPING", "VM_STOPPED"]);
    expect(await world.driver.machines[0]?.exited).toMatchObject({ guestShutdown: true, signal: null });
    expect(reasonOf(signal)).toBe("demo is being stopped");
    expect(world.network.detached).toHaveLength(1);
    expect(existsSync(world.runDir(vm))).toBe(false);
    expect(readFileSync(world.engine.logFiles("demo").console, "utf8")).toContain("stub kernel");
    expect(() => world.engine.guest("demo")).toThrow(expect.objectContaining({ code: "vm_not_running" }));
    expect(world.engine.whenGone("demo").signal.aborted).toBe(true);
  });

  test("a guest that does not want to is ended after the grace, and the row says so", async () => {
    await using world = new World({ timing: { stopGraceMs: 100 } });
    world.driver.mood = "ignores power-off";
    await world.engine.create(request("demo"));
    const vm = await world.engine.stop("demo");
    expect(vm).toMatchObject({ status: "stopped", status_reason: "did not power off within 100 ms and was ended" });
  });

  test("an agent that is silent: the power button does it", async () => {
    await using world = new World({ timing: { stopGraceMs: 15_000 } });
    const vm = await world.engine.create(request("demo"));
    await world.order(vm, "go-silent");
    expect((await world.engine.stop("demo")).status_reason).toBeNull();
    expect(await world.driver.machines[0]?.exited).toMatchObject({ guestShutdown: true });
  });

  test("force ends it at once, also when a gentle stop is under way", async () => {
    await using world = new World({ timing: { stopGraceMs: 60_000 } });
    world.driver.mood = "ignores power-off";
    await world.engine.create(request("demo"));
    const gentle = world.engine.stop("demo");
    await world.event("VM_STOPPING");
    expect((await world.engine.stop("demo", { force: true })).status).toBe("stopped");
    expect((await gentle).status).toBe("stopped");
    expect(await world.driver.machines[0]?.exited).toMatchObject({ signal: "SIGKILL" });
  });

  test("a paused guest hears it too", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    await world.engine.pause("demo");
    await world.engine.stop("demo");
    expect(await world.driver.machines[0]?.exited).toMatchObject({ guestShutdown: true });
  });

  test("while it boots: the boot is broken off, the VM kept as stopped", async () => {
    await using world = new World();
    world.driver.mood = "never ready";
    const created = codeOf(world.engine.create(request("demo")));
    await world.event("VM_STARTING");
    expect((await world.engine.stop("demo")).status).toBe("stopped");
    expect(await created).toBe("cancelled");
    expect(world.engine.get("demo").status_reason).toBe("stopped while it was starting");
  });

  test("wait: false answers with `stopping`, and goes on although the caller cancels", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    const caller = new AbortController();
    expect((await world.engine.stop("demo", { wait: false, signal: caller.signal })).status).toBe("stopping");
    caller.abort();
    await world.event("VM_STOPPED");
  });
});

describe("start", () => {
  test("a new generation with a new secret in an empty directory; the old logs are kept", async () => {
    await using world = new World();
    const before = await world.engine.create(request("demo"));
    await world.engine.stop("demo");
    const after = await world.engine.start("demo");
    expect(after).toMatchObject({ id: before.id, status: "running", generation: 2, ip_address: before.ip_address });
    expect(after.pid).not.toBe(before.pid);
    const [first, second] = world.driver.specs;
    expect(second?.token).not.toBe(first?.token);
    expect(second?.runDir).toBe(String(first?.runDir));
    expect(existsSync(`${world.engine.logFiles("demo").console}.1`)).toBe(true);
    expect(existsSync(`${world.runDir(after)}/end`)).toBe(false);
    expect((await world.engine.guest("demo").health()).status).toBe("ready");
    expect(world.engine.whenGone("demo").signal.aborted).toBe(false);
  });

  test("a crashed VM starts with a clean slate", async () => {
    await using world = new World();
    world.driver.mood = "panics while booting";
    await codeOf(world.engine.create(request("demo")));
    world.driver.mood = "well";
    expect(await world.engine.start("demo")).toMatchObject({
      status: "running",
      generation: 2,
      status_reason: null,
      console_tail: null,
    });
  });

  test("what fails before the spawn leaves it stopped, with the reason", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    await world.engine.stop("demo");
    world.resolve = async () => {
      throw new HypeError("image_invalid", "one byte is off");
    };
    expect(await codeOf(world.engine.start("demo"))).toBe("image_invalid");
    expect(world.engine.get("demo")).toMatchObject({
      status: "stopped",
      status_reason: "not started: one byte is off",
    });
    expect(world.leftovers().filter((what) => what.includes("process"))).toEqual([]);
  });

  test("wait: false answers with `starting`", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    await world.engine.stop("demo");
    expect(await world.engine.start("demo", { wait: false })).toMatchObject({ status: "starting", generation: 2 });
    await until(() => world.engine.get("demo").status === "running");
  });

  test("cancelled by its caller: stopped again", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    await world.engine.stop("demo");
    world.driver.mood = "never ready";
    const caller = new AbortController();
    const started = codeOf(world.engine.start("demo", { signal: caller.signal }));
    await until(() => world.driver.machines.length === 2);
    caller.abort();
    expect(await started).toBe("cancelled");
    expect(world.engine.get("demo").status).toBe("stopped");
  });
});

describe("restart", () => {
  test("stops and starts under one lock: nobody comes in between", async () => {
    await using world = new World();
    const before = await world.engine.create(request("demo"));
    const restarted = world.engine.restart("demo");
    const paused = world.engine.pause("demo");
    expect(await restarted).toMatchObject({ status: "running", generation: 2 });
    expect(await paused).toMatchObject({ status: "paused", generation: 2 });
    expect(world.engine.get("demo").pid).not.toBe(before.pid);
  });

  test("a stopped VM is just started, a booting one booted anew", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    await world.engine.stop("demo");
    expect(await world.engine.restart("demo")).toMatchObject({ status: "running", generation: 2 });
    await world.engine.stop("demo");
    world.driver.mood = "never ready";
    const stuck = codeOf(world.engine.start("demo"));
    await until(() => world.driver.machines.length === 3);
    world.driver.mood = "well";
    expect(await world.engine.restart("demo")).toMatchObject({ status: "running", generation: 4 });
    expect(await stuck).toBe("cancelled");
  });
});

describe("pause and resume", () => {
  test("the guest stands still and goes on with the right time", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    expect((await world.engine.pause("demo")).status).toBe("paused");
    expect(await world.driver.machines[0]?.state()).toBe("paused");
    expect(() => world.engine.guest("demo")).toThrow(/demo is paused/);
    expect(world.engine.whenGone("demo").signal.aborted).toBe(false); // sockets survive a pause
    const before = Date.now();
    expect((await world.engine.resume("demo")).status).toBe("running");
    expect(await world.order(vm, "clock")).toBeGreaterThanOrEqual(before);
    expect(world.types().slice(-2)).toEqual(["VM_PAUSED", "VM_RESUMED"]);
  });

  test("a paused guest's silence is not judged; one that dies is", async () => {
    await using world = new World({ timing: { agentLostMs: 50 } });
    const vm = await world.engine.create(request("demo"));
    await world.engine.pause("demo");
    process.kill(Number(vm.pid), "SIGKILL");
    await world.event("VM_CRASHED");
    expect(world.engine.get("demo").status_reason).toMatch(/killed by SIGKILL/);
  });
});

describe("delete", () => {
  test("from every state a user can reach, nothing is left", async () => {
    await using world = new World();
    world.driver.mood = "panics while booting";
    await codeOf(world.engine.create(request("crashed")));
    world.driver.mood = "well";
    for (const name of ["running", "paused", "stopped"]) await world.engine.create(request(name));
    await world.engine.pause("paused");
    await world.engine.stop("stopped");
    for (const name of ["crashed", "running", "paused", "stopped"]) {
      const { signal } = world.engine.whenGone(name);
      await world.engine.delete(name);
      expect(signal.aborted).toBe(true);
      expect(() => world.engine.get(name)).toThrow(expect.objectContaining({ code: "vm_not_found" }));
      expect(lastOf(world.events(name))).toMatchObject({ type: "VM_DELETED", data: { reason: "deleted" } });
    }
    expect(world.leftovers()).toEqual([]);
  });

  test("breaks off a stop under way", async () => {
    await using world = new World({ timing: { stopGraceMs: 60_000 } });
    world.driver.mood = "ignores power-off";
    await world.engine.create(request("demo"));
    const stopped = codeOf(world.engine.stop("demo"));
    await world.event("VM_STOPPING");
    await world.engine.delete("demo");
    expect(await stopped).toBe("cancelled");
    expect(world.leftovers()).toEqual([]);
  });

  test("twice at once: both return when it is gone; once more: not found", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    await Promise.all([world.engine.delete("demo"), world.engine.delete("demo")]);
    expect(world.types().filter((type) => type === "VM_DELETED")).toHaveLength(1);
    expect(await codeOf(world.engine.delete("demo"))).toBe("vm_not_found");
  });

  test("works when its parts are gone already", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    Bun.spawnSync(["rm", "-rf", world.runDir(vm), world.config.logDir]);
    process.kill(Number(vm.pid), "SIGKILL");
    await world.engine.delete("demo");
    expect(world.leftovers()).toEqual([]);
  });

  test("what waits behind it finds no VM", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    const held = gate();
    world.network.hook = (step) => (step === "detach" ? held.promise : undefined);
    const deleted = world.engine.delete("demo");
    await world.event("VM_DELETING");
    expect(await codeOf(world.engine.create(request("demo")))).toBe("vm_name_taken"); // name and address come last
    held.resolve();
    await deleted;
    world.network.hook = () => {};
    await world.engine.create(request("demo"));
  });

  test("one that fails says so, stays `deleting`, and is finished by the next sweep", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    world.network.hook = () => {
      throw new HypeError("network_failed", "not now");
    };
    expect(await codeOf(world.engine.delete("demo"))).toBe("network_failed");
    expect(world.engine.get("demo").status).toBe("deleting");
    world.network.hook = () => {};
    await world.engine.reconcile();
    expect(world.leftovers()).toEqual([]);
  });
});

describe("ttl", () => {
  test("VMs are deleted when their time is over, each at its own", async () => {
    let nowMs = Date.now();
    await using world = new World({ clock: () => nowMs });
    const vm = await world.engine.create(request("short", { ttl_seconds: 60 }));
    await world.engine.create(request("long", { ttl_seconds: 600 }));
    await world.engine.create(request("endless"));
    expect(Date.parse(String(vm.expires_at)) - Date.parse(vm.created_at)).toBe(60_000);
    nowMs += 61_000;
    await world.engine.reconcile(); // looks at the clock, as its timer would
    expect((await world.event("VM_DELETED")).data.reason).toBe("ttl");
    expect(world.engine.list({ sort: "name" }).items.map(({ name }) => name)).toEqual(["endless", "long"]);
  });

  test("the timer fires by itself, also while the VM is still booting", async () => {
    await using world = new World();
    world.driver.mood = "never ready";
    const created = codeOf(world.engine.create(request("demo", { ttl_seconds: 1 })));
    expect(await created).toBe("cancelled");
    expect(world.leftovers()).toEqual([]);
  });
});

describe("shutdown", () => {
  test("lets go of VMs without stopping them; what waits is told; new work is refused", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    const { signal } = world.engine.whenGone("demo");
    await world.engine.shutdown();
    await world.engine.shutdown();
    expect(reasonOf(signal)).toMatch(/shutting down/);
    expect(() => process.kill(Number(vm.pid), 0)).not.toThrow();
    expect(world.driver.machines[0]?.detached).toBe(true);
    expect(await codeOf(world.engine.stop("demo"))).toBe("shutting_down");
    expect(await codeOf(world.engine.create(request("other")))).toBe("shutting_down");
    expect(world.engine.list({}).total).toBe(1);
  });

  test("a creation before its spawn is undone, one that boots is left to the next server", async () => {
    await using world = new World();
    world.driver.mood = "never ready";
    const booting = codeOf(world.engine.create(request("booting")));
    await world.event("VM_STARTING");
    const reached = gate();
    world.network.hook = async (step, _id, signal) => {
      if (step !== "attach") return;
      reached.resolve();
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    };
    const early = codeOf(world.engine.create(request("early")));
    await reached.promise;
    await world.engine.shutdown();
    expect([await booting, await early]).toEqual(["shutting_down", "shutting_down"]);
    expect(world.engine.list({}).items).toMatchObject([{ name: "booting", status: "starting" }]);
  });

  test("ends subscriptions", async () => {
    await using world = new World();
    const reading = (async () => {
      for await (const _ of world.engine.subscribe(null, new AbortController().signal));
      return "ended";
    })();
    await world.engine.shutdown();
    expect(await reading).toBe("ended");
  });
});

test("a driver that cannot be had refuses the creation and leaves nothing; later it may be there", async () => {
  let tries = 0;
  await using world = new World({
    openDriver: async (driver) => {
      if (++tries === 1) throw new HypeError("hypervisor_unavailable", "no QEMU");
      return driver;
    },
  });
  expect(await codeOf(world.engine.create(request("demo")))).toBe("hypervisor_unavailable");
  expect(world.leftovers()).toEqual([]);
  await world.engine.create(request("demo"));
  expect(tries).toBe(2);
});
