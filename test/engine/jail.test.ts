import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chownSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { VMM_DIRECTORY } from "../../src/config/paths.ts";
import { cgroupMount, isPopulated } from "../../src/host/cgroup.ts";
import { DIRECTORY_MARK, endProcess, identify, isAlive, waitGone } from "../../src/host/process.ts";
import { Cgroups } from "../../src/hypervisor/jail/cgroups.ts";
import { NoJail } from "../../src/hypervisor/jail/no-jail.ts";
import { cgroupsOnly, request, World } from "./world.ts";

setDefaultTimeout(30_000);

const isRoot = process.getuid?.() === 0;
const hasCgroups = isRoot && "path" in cgroupMount();
const PROGRAM = join(import.meta.dir, "../fake/engine-program.ts");
const STRANGER = 1_900_000_077;

function cgroupsOf(world: World): Cgroups {
  const cgroups = Cgroups.open(world.home);
  if ("reason" in cgroups) throw new Error(cgroups.reason);
  return cgroups;
}
const members = (cgroup: string): number[] =>
  readFileSync(join(cgroup, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);

/** A process that has done nothing, and must live. */
function decoy(options: { uid?: number; mark?: string } = {}) {
  const user = options.uid === undefined ? [] : ["setpriv", "--reuid", String(options.uid), "--clear-groups"];
  const child = Bun.spawn([...user, "sleep", "600"], {
    env: { PATH: process.env.PATH!, ...(options.mark ? { [DIRECTORY_MARK]: options.mark } : {}) },
  });
  const identity = identify(child.pid)!;
  return { identity, [Symbol.asyncDispose]: async () => void (await endProcess(identity, 0)) };
}

describe.skipIf(!hasCgroups)("a cgroup per VM (skipped where cgroup v2 cannot be written)", () => {
  test("the VMM lives in it, and whatever it started dies with it", async () => {
    await using world = new World({ jailer: cgroupsOnly });
    const vm = await world.engine.create(request("demo"));
    const cgroup = cgroupsOf(world).pathOf(vm.id);
    expect(members(cgroup)).toContain(vm.pid!);
    const escaped = Bun.spawn(
      ["/bin/sh", "-c", `echo $$ >${cgroup}/cgroup.procs; echo in; exec setsid --fork sleep 600`],
      {
        stdout: "pipe",
      },
    );
    await escaped.stdout.getReader().read();
    await escaped.exited;
    const pids = members(cgroup).map((pid) => identify(pid)!);
    expect(pids.length).toBeGreaterThan(1);
    await world.engine.stop("demo", { force: true });
    expect(pids.map(isAlive)).not.toContain(true);
    expect(existsSync(cgroup)).toBe(false);
    await world.engine.start("demo");
    expect(isPopulated(cgroup)).toBe(true);
    await world.engine.delete("demo");
    expect(existsSync(dirname(cgroup))).toBe(false);
  });

  test("the next server takes the VM up in it, and sweeping does it no harm", async () => {
    const first = new World({ jailer: cgroupsOnly });
    const { id, pid } = await first.engine.create(request("demo"));
    first.die();
    await using world = await first.next();
    await world.engine.reconcile();
    expect(members(cgroupsOf(world).pathOf(id))).toContain(pid!);
    expect((await world.engine.guest("demo").health()).status).toBe("ready");
    await world.engine.delete("demo");
    expect(existsSync(cgroupsOf(world).pathOf(id))).toBe(false);
  });

  test("a cgroup no row stands for is ended with what runs in it", async () => {
    await using world = new World({ jailer: cgroupsOnly });
    const { id } = await world.engine.create(request("demo"));
    const cgroups = cgroupsOf(world);
    const stray = await cgroups.make("01a204df-d17a-73f6-9c2c-ca675335e451");
    const child = Bun.spawn(["/bin/sh", "-c", `echo $$ >${stray}/cgroup.procs; echo in; exec sleep 600`], {
      stdout: "pipe",
    });
    await child.stdout.getReader().read();
    await world.engine.reconcile();
    await child.exited;
    expect([existsSync(stray), isPopulated(cgroups.pathOf(id))]).toEqual([false, true]);
    await world.engine.delete("demo");
  });

  for (const [operation, step] of [
    ["create", "network attach"], // the cgroup is there, nothing lives in it
    ["create", "network attached"],
    ["create", "driver spawned"], // the VMM runs in it and nobody wrote it down
    ["create", "driver started"],
    ["delete", "driver killed"],
    ["delete", "network detach"],
    ["stop", "driver kill"],
  ] as const)
    test(`a server killed with SIGKILL in a ${operation} at "${step}" leaves none behind after the next one's start`, async () => {
      const home = mkdtempSync(join(tmpdir(), "hype-world-"));
      const child = Bun.spawn([process.execPath, PROGRAM, home, operation, step, "cgroup"], {
        stdout: "pipe",
        stderr: "inherit",
      });
      const { value } = await child.stdout.getReader().read();
      child.kill("SIGKILL");
      await child.exited;
      expect(new TextDecoder().decode(value).trim()).toBe("reached");
      await using world = new World({ home, jailer: cgroupsOnly });
      const { id } = world.engine.get("demo");
      const cgroup = cgroupsOf(world).pathOf(id);
      await world.engine.reconcile();
      expect([existsSync(cgroup), existsSync(dirname(cgroup))]).toEqual([false, false]);
      if (operation !== "stop") expect(world.leftovers()).toEqual([]);
    });

  test("a server without jails still ends those of the one before", async () => {
    const first = new World({ jailer: cgroupsOnly });
    const { id } = await first.engine.create(request("demo"));
    const cgroup = cgroupsOf(first).pathOf(id);
    first.die();
    await using world = await first.next({ jailer: () => new NoJail("OVERHYPED_JAIL=off") });
    await world.engine.delete("demo");
    expect(existsSync(cgroup)).toBe(false);
  });
});

test("a jail that is required and cannot be had: nothing is made, and the caller is told", async () => {
  await using world = new World({ jailer: () => new NoJail("the server does not run as root", true) });
  expect(world.engine.create(request("demo"))).rejects.toMatchObject({
    code: "jail_unavailable",
    message: expect.stringContaining("does not run as root"),
  });
  await world.event("VM_DELETED");
  expect(world.leftovers()).toEqual([]);
});

describe("what a VMM leaves in its directory kills nobody", () => {
  test("pid files of its own making", async () => {
    await using victim = decoy();
    const first = new World();
    const vm = await first.engine.create(request("demo"));
    const forged = JSON.stringify(victim.identity);
    for (const name of ["vmm.pid", "net.pid", "x.pid"])
      writeFileSync(join(first.runDir(vm), VMM_DIRECTORY, name), forged);
    first.die();
    await using world = await first.next();
    await world.engine.delete("demo");
    expect(isAlive(victim.identity)).toBe(true);
  });

  test("a pid that another process has now", async () => {
    await using victim = decoy();
    const first = new World();
    const vm = await first.engine.create(request("demo"));
    first.die();
    await endProcess(identify(vm.pid!)!, 0);
    const reused = { ...victim.identity, startTicks: victim.identity.startTicks - 1 };
    first.offline((store) => {
      const { machine } = store.vms.secrets(vm.id)!;
      store.vms.update(vm.id, { machine: { ...(machine as object), process: reused } }, new Date().toISOString());
    });
    for (const name of ["vmm.pid", "net.pid"]) writeFileSync(join(first.runDir(vm), name), JSON.stringify(reused));
    await using world = await first.next();
    expect(world.engine.get("demo").status).toBe("crashed");
    await world.engine.delete("demo");
    expect(isAlive(victim.identity)).toBe(true);
  });

  test.skipIf(!isRoot)(
    "a process of another user that carries its mark (skipped for users other than root)",
    async () => {
      const first = new World();
      const vm = await first.engine.create(request("demo"));
      await using victim = decoy({ uid: 54_321, mark: first.runDir(vm) });
      first.die();
      await using world = await first.next();
      await world.engine.delete("demo");
      expect(await waitGone(victim.identity, 0)).toBe(false);
    },
  );

  test.skipIf(!isRoot)("a link in the place of the console's file (skipped for users other than root)", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo"));
    const { console } = world.engine.logFiles("demo");
    const secret = join(world.home, "secret");
    writeFileSync(secret, "do not tell");
    chownSync(dirname(console), STRANGER, STRANGER);
    Bun.spawnSync(["ln", "-sf", secret, console]);
    await world.order(vm, "panic");
    await world.event("VM_CRASHED");
    expect(world.engine.get("demo").console_tail).toBeNull();
    expect(readFileSync(secret, "utf8")).toBe("do not tell");
  });
});
