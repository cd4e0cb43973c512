import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VmStatus } from "../../src/contract/index.ts";
import { bootId, endProcess, identify, isAlive, type ProcessIdentity, spawnDetached } from "../../src/host/process.ts";
import { forever, gate, request, until, World } from "./world.ts";

setDefaultTimeout(30_000); // real processes on a machine that may be busy

const identityOf = (pid: number | null): ProcessIdentity => identify(Number(pid)) as ProcessIdentity;

describe("a server that comes back", () => {
  test("takes up what runs: three VMs in well under two seconds, usable at once", async () => {
    await using dead = new World();
    const before = await Promise.all(["a", "b", "c"].map((name) => dead.engine.create(request(name))));
    dead.die();
    const startedAt = performance.now();
    await using world = await dead.next();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    for (const vm of before) {
      expect(world.engine.get(vm.id)).toMatchObject({ status: "running", pid: vm.pid, generation: 1 });
      expect((await world.engine.guest(vm.name).health()).status).toBe("ready");
      expect(world.types(vm.name).at(-1)).toBe("VM_ADOPTED");
    }
    // And it is supervised, stopped and deleted like its own.
    process.kill(Number(before[0]?.pid), "SIGKILL");
    await world.event("VM_CRASHED", "a");
    expect((await world.engine.stop("b")).status).toBe("stopped");
    for (const vm of before) await world.engine.delete(vm.name);
    expect(world.leftovers()).toEqual([]);
  });

  test("after a shutdown it is the same", async () => {
    await using first = new World();
    const vm = await first.engine.create(request("demo"));
    await first.engine.shutdown();
    first.die();
    await using world = await first.next();
    expect(world.engine.get("demo")).toMatchObject({ status: "running", pid: vm.pid });
  });

  test("goes on waiting for a VM that boots", async () => {
    await using dead = new World();
    dead.driver.mood = "never ready";
    void dead.engine.create(request("demo")).catch(() => {});
    await until(() => dead.types().at(-1) === "VM_BOOT_PROGRESS agent");
    dead.die();
    await using world = await dead.next();
    expect(world.engine.get("demo").status).toBe("starting");
    await world.order(world.engine.get("demo"), "become-ready");
    await world.event("VM_RUNNING");
    expect((await world.engine.guest("demo").health()).status).toBe("ready");
  });

  test("a VM that boots may still be stopped, and crashes at a deadline of its own", async () => {
    await using dead = new World();
    dead.driver.mood = "never ready";
    for (const name of ["stopped", "late"]) void dead.engine.create(request(name)).catch(() => {});
    await dead.event("VM_STARTING", "stopped");
    await dead.event("VM_STARTING", "late");
    dead.die();
    await using world = await dead.next({ env: { OVERHYPED_BOOT_TIMEOUT_MS: "1000" } });
    expect((await world.engine.stop("stopped")).status).toBe("stopped");
    expect((await world.event("VM_CRASHED", "late")).data.reason).toMatch(/not usable within 1000 ms/);
  });

  test("says of one that died meanwhile that it crashed, with the console's last words", async () => {
    await using dead = new World();
    const vm = await dead.engine.create(request("demo"));
    dead.die();
    await endProcess(identityOf(vm.pid), 0);
    await using world = await dead.next();
    expect(world.engine.get("demo")).toMatchObject({
      status: "crashed",
      status_reason: "the VMM was gone when the server came back",
      pid: null,
    });
    expect(world.engine.get("demo").console_tail).toContain("stub kernel");
    expect(world.leftovers().filter((what) => what.startsWith("process"))).toEqual([]);
  });

  test("says of all that they stopped when the host rebooted; who has their pids now is left alone", async () => {
    await using dead = new World();
    const vm = await dead.engine.create(request("demo"));
    const decoy = Bun.spawn(["sleep", "infinity"]);
    try {
      const reused = { ...identify(decoy.pid), bootId: "another" };
      const { machine, attachment } = dead.offline((store) => store.vms.secrets(vm.id)) as {
        machine: object;
        attachment: { processes: ProcessIdentity[] };
      };
      const [before] = attachment.processes;
      const held = { machine: { ...machine, process: reused }, attachment: { ...attachment, processes: [reused] } };
      dead.store.vms.update(vm.id, held, vm.updated_at);
      for (const file of ["vmm.pid", "net.pid"]) writeFileSync(join(dead.runDir(vm), file), JSON.stringify(reused));
      dead.die();
      for (const identity of [identityOf(vm.pid), before]) if (identity) await endProcess(identity, 0);
      await using world = await dead.next();
      expect(world.engine.get("demo")).toMatchObject({
        status: "stopped",
        status_reason: "the host rebooted",
        ip_address: vm.ip_address,
        pid: null,
      });
      expect(decoy.exitCode).toBeNull();
      expect(isAlive(identify(decoy.pid)!)).toBe(true);
      expect(existsSync(world.runDir(vm))).toBe(false);
      expect(await world.engine.start("demo")).toMatchObject({ status: "running", generation: 2 });
    } finally {
      decoy.kill();
      await decoy.exited;
    }
  });

  test("a VM without its network is crashed and ended", async () => {
    await using dead = new World();
    const vm = await dead.engine.create(request("demo"));
    dead.die();
    const { attachment } = dead.offline((store) => store.vms.secrets(vm.id)) as {
      attachment: { processes: ProcessIdentity[] };
    };
    for (const identity of attachment.processes) await endProcess(identity, 0);
    await using world = await dead.next();
    expect(world.engine.get("demo").status_reason).toBe("its network was gone when the server came back");
    expect(isAlive(identityOf(vm.pid) ?? { bootId: bootId(), pid: Number(vm.pid), startTicks: 0 })).toBe(false);
  });

  test("pause and resume that were cut: the machine is right", async () => {
    await using dead = new World();
    const paused = await dead.engine.create(request("paused"));
    const half = await dead.engine.create(request("half-paused"));
    const resumed = await dead.engine.create(request("half-resumed"));
    await dead.engine.pause("paused");
    process.kill(Number(half.pid), "SIGSTOP"); // paused, not written down
    dead.store.vms.update(resumed.id, { status: "paused" }, resumed.updated_at); // resumed, not written down
    dead.die();
    await using world = await dead.next();
    const status = (name: string) => world.engine.get(name).status;
    expect([status("paused"), status("half-paused"), status("half-resumed")]).toEqual(["paused", "paused", "running"]);
    expect((await world.engine.resume("paused")).pid).toBe(paused.pid);
    expect((await world.engine.guest("paused").health()).status).toBe("ready");
  });

  const cut: { status: VmStatus; after: VmStatus | null }[] = [
    { status: "creating", after: null },
    { status: "stopping", after: "stopped" },
    { status: "deleting", after: null },
  ];
  for (const { status, after } of cut)
    test(`finishes what was cut while ${status}`, async () => {
      await using dead = new World();
      const vm = await dead.engine.create(request("demo"));
      dead.store.vms.update(vm.id, { status }, vm.updated_at);
      dead.die();
      await using world = await dead.next();
      expect(world.engine.list({}).items.map((row) => row.status)).toEqual(after ? [after] : []);
      if (!after) expect(world.leftovers()).toEqual([]);
    });

  test("goes on with a restart that was cut between stop and start", async () => {
    await using dead = new World();
    await dead.engine.create(request("demo"));
    const stopped = gate();
    dead.network.hook = async (step) => {
      if (step !== "detached") return;
      stopped.resolve();
      await forever();
    };
    void dead.engine.restart("demo").catch(() => {});
    await stopped.promise;
    dead.die();
    await using world = await dead.next();
    await until(() => world.engine.get("demo").status === "running");
    expect(world.engine.get("demo").generation).toBe(2);
  });

  test("a start that was cut before its spawn: stopped, nothing left of it", async () => {
    await using dead = new World();
    await dead.engine.create(request("demo"));
    await dead.engine.stop("demo");
    const reached = gate();
    dead.driver.hook = async (step) => {
      if (step !== "spawned") return;
      reached.resolve();
      await forever();
    };
    void dead.engine.start("demo").catch(() => {});
    await reached.promise;
    dead.die();
    await using world = await dead.next();
    expect(world.engine.get("demo")).toMatchObject({
      status: "stopped",
      status_reason: "not started: the server ended before its VMM ran",
    });
    expect(world.leftovers().filter((what) => what.startsWith("process"))).toEqual([]);
  });

  test("without a hypervisor it leaves living VMs alone, and takes them up once there is one", async () => {
    await using dead = new World();
    const vm = await dead.engine.create(request("demo"));
    dead.die();
    let there = false;
    await using world = await dead.next({
      openDriver: async (driver) => {
        if (!there) throw new Error("no hypervisor today");
        return driver;
      },
    });
    expect(world.engine.get("demo").status).toBe("running");
    expect(() => world.engine.guest("demo")).toThrow(expect.objectContaining({ code: "vm_not_running" }));
    expect(isAlive(identityOf(vm.pid))).toBe(true);
    there = true;
    await world.engine.reconcile();
    expect((await world.engine.guest("demo").health()).status).toBe("ready");
  });
});

describe("pids are not believed", () => {
  test("a foreign process with a recorded pid is never ended", async () => {
    await using dead = new World();
    const vm = await dead.engine.create(request("demo"));
    await using foreign = decoy(dead.config.home);
    const { pid } = foreign.identity;
    const reused = { bootId: bootId(), pid, startTicks: foreign.identity.startTicks - 1 };
    dead.die();
    await endProcess(identityOf(vm.pid), 0);
    const machine = { ...dead.driver.machines[0]?.record, process: reused };
    dead.offline((store) => store.vms.update(vm.id, { machine, pid }, vm.updated_at));
    writeFileSync(join(dead.runDir(vm), "vmm.pid"), JSON.stringify(reused));
    await using world = await dead.next();
    expect(world.engine.get("demo").status).toBe("crashed");
    await world.engine.delete("demo");
    expect(isAlive(foreign.identity)).toBe(true);
    expect(world.leftovers()).toEqual([]);
  });

  test("directories without a row go, with their processes; what is not a VM's stays", async () => {
    await using world = new World();
    const stray = join(world.config.runtimeDir, "0123456789ab");
    const logs = join(world.config.logDir, "0123456789ab");
    const ours = join(world.config.logDir, "serve.log");
    for (const directory of [stray, logs]) mkdirSync(directory, { recursive: true });
    writeFileSync(ours, "kept");
    const named = Bun.spawn(["sleep", "infinity"]);
    const marked = spawnDetached(["sleep", "infinity"], { cwd: stray, logFile: join(logs, "vmm.log") });
    await using foreign = decoy(world.home);
    const reused = { ...foreign.identity, startTicks: foreign.identity.startTicks - 1 };
    writeFileSync(join(stray, "vmm.pid"), JSON.stringify(identify(named.pid)));
    writeFileSync(join(stray, "net.pid"), JSON.stringify(reused));
    writeFileSync(join(stray, "other.pid"), String(foreign.identity.pid)); // a bare number proves nothing
    await world.engine.reconcile();
    expect(await named.exited).not.toBe(0);
    expect(await marked.exited).toMatchObject({ signal: "SIGKILL" });
    expect(isAlive(foreign.identity)).toBe(true);
    expect(world.leftovers()).toEqual([ours]);
  });
});

/** A living process that is none of ours. */
function decoy(cwd: string): AsyncDisposable & { identity: ProcessIdentity } {
  const child = Bun.spawn(["sleep", "infinity"], { cwd });
  return {
    identity: identify(child.pid) as ProcessIdentity,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
