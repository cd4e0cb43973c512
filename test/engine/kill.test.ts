import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request, until, World } from "./world.ts";

setDefaultTimeout(30_000); // real processes on a machine that may be busy

const PROGRAM = join(import.meta.dir, "../fake/engine-program.ts");

/** Runs an engine in a process of its own until it hangs at the step, and kills it there with SIGKILL. */
async function killedAt(operation: string, step: string): Promise<{ home: string; said: string }> {
  const home = mkdtempSync(join(tmpdir(), "hype-world-"));
  const child = Bun.spawn([process.execPath, PROGRAM, home, operation, step], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  return { home, said: new TextDecoder().decode(value).trim() };
}

describe("a server killed with SIGKILL in the middle of a creation", () => {
  const before = [
    "image resolve",
    "network attach",
    "network spawned", // the network's process runs and nobody wrote its pid down
    "network attached",
    "driver start",
    "driver spawned", // the VMM runs and nobody wrote its pid down
    "driver started",
  ];
  for (const step of before)
    test(`at "${step}": the next one leaves nothing of it, and the name is free`, async () => {
      const { home, said } = await killedAt("create", step);
      expect(said).toBe("reached");
      await using world = new World({ home });
      expect(world.engine.list({}).items).toMatchObject([{ name: "demo", status: "creating" }]);
      await world.engine.reconcile();
      expect(world.leftovers()).toEqual([]);
      expect(world.events().at(-1)).toMatchObject({
        type: "VM_DELETED",
        data: { reason: "the server ended while it was being created" },
      });
      expect(await world.engine.create(request("demo"))).toMatchObject({ ip_address: "192.168.127.2" });
    });

  test("while it boots: the next one goes on waiting", async () => {
    const { home, said } = await killedAt("create", "boot");
    expect(said).toBe("reached");
    await using world = new World({ home });
    const vm = world.engine.get("demo");
    await world.engine.reconcile();
    await until(() => world.types().at(-1) === "VM_BOOT_PROGRESS agent");
    await world.order(vm, "become-ready");
    expect((await world.event("VM_RUNNING")).data.generation).toBe(1);
    expect(world.engine.get("demo").pid).toBe(vm.pid);
  });

  test("after it: the VM is taken up and usable", async () => {
    const { home, said } = await killedAt("create", "never");
    expect(said).toBe("done");
    await using world = new World({ home });
    await world.engine.reconcile();
    expect((await world.engine.guest("demo").health()).status).toBe("ready");
  });
});

describe("a server killed with SIGKILL in the middle of a deletion", () => {
  for (const step of ["driver kill", "driver killed", "network detach", "network detached"])
    test(`at "${step}": the next one finishes it`, async () => {
      const { home, said } = await killedAt("delete", step);
      expect(said).toBe("reached");
      await using world = new World({ home });
      expect(world.engine.list({}).items).toMatchObject([{ name: "demo", status: "deleting" }]);
      await world.engine.reconcile();
      expect(world.leftovers()).toEqual([]);
    });

  test("after it: nothing is left", async () => {
    const { home, said } = await killedAt("delete", "never");
    expect(said).toBe("done");
    await using world = new World({ home });
    expect(world.leftovers()).toEqual([]);
  });
});

describe("a server killed with SIGKILL in the middle of a stop", () => {
  for (const step of ["driver kill", "driver killed", "network detach", "network detached"])
    test(`at "${step}": the next one finishes it`, async () => {
      const { home, said } = await killedAt("stop", step);
      expect(said).toBe("reached");
      await using world = new World({ home });
      await world.engine.reconcile();
      expect(world.engine.get("demo")).toMatchObject({ status: "stopped", pid: null, endpoint: null });
      expect(world.leftovers().filter((what) => what.startsWith("process"))).toEqual([]);
      expect((await world.engine.start("demo")).status).toBe("running");
    });
});
