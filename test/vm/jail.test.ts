import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Isolation, Vm } from "../../src/contract/index.ts";
import { cgroupMount } from "../../src/host/cgroup.ts";
import { identify, isAlive } from "../../src/host/process.ts";
import { SealedHome, type Served } from "../lib/hype.ts";

const UID = 1_900_000_002; // of the first lease, .2

/** A real VMM in its jail, as the kernel sees it. */
describe.skipIf(process.getuid?.() !== 0)("a jailed VMM (skipped for users other than root)", () => {
  let home: SealedHome;
  let server: Served;
  let vm: Vm & { isolation: Isolation; pid: number };
  const get = async () => JSON.parse(await home.ok(["vms", "get", "demo", "--json"])) as typeof vm;
  const asUser = (...argv: string[]) =>
    Bun.spawnSync(["setpriv", "--reuid", String(UID), "--regid", String(UID), "--clear-groups", ...argv], { cwd: "/" });
  const status = (file: string): string => readFileSync(file, "utf8");

  beforeAll(async () => {
    home = new SealedHome({ OVERHYPED_NETWORK: "user", OVERHYPED_HYPERVISOR: "qemu" });
    server = await home.serve();
    await home.ok(["vms", "create", "demo"]);
    vm = await get();
  }, 180_000);
  afterAll(() => home[Symbol.asyncDispose](), 60_000);

  test("the row says what is in force, and of all else why not", () => {
    expect(vm.isolation.uid).toBe(UID);
    for (const measure of [
      "own-user",
      "no-capabilities",
      "no-new-privileges",
      "resource-limits",
      "seccomp",
      "network-namespace",
      "pids-limit",
    ] as const)
      expect(vm.isolation.measures).toContain(measure);
    const named = [...vm.isolation.measures, ...vm.isolation.missing.map(({ measure }) => measure)];
    expect([named.length, new Set(named).size]).toEqual([11, 11]);
    for (const { reason } of vm.isolation.missing) expect(reason).not.toBe("");
  });

  test("every thread of it: its own user, no group, no capability, no new privileges, system calls filtered", () => {
    const threads = readdirSync(`/proc/${vm.pid}/task`);
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) {
      const text = status(`/proc/${vm.pid}/task/${thread}/status`);
      expect(text).toMatch(new RegExp(`^Uid:(\\t${UID}){4}$`, "m"));
      expect(text).toMatch(new RegExp(`^Gid:(\\t${UID}){4}$`, "m"));
      expect(text).toMatch(/^CapEff:\t0{16}$/m);
      expect(text).toMatch(/^CapBnd:\t0{16}$/m);
      expect(text).toMatch(/^NoNewPrivs:\t1$/m);
      expect(text).toMatch(/^Seccomp:\t2$/m);
    }
  });

  test("no network but passt's socket, and one cgroup with passt", () => {
    expect(readlinkSync(`/proc/${vm.pid}/ns/net`)).not.toBe(readlinkSync("/proc/self/ns/net"));
    if (!("path" in cgroupMount())) return;
    expect(status(`/proc/${vm.pid}/cgroup`)).toMatch(/^0::.*\/overhyped\/[0-9a-f]{12}\/vm-[0-9a-f]{12}$/m);
    const [passt] = readdirSync(join(home.path, "state/run"));
    const { pid } = JSON.parse(status(join(home.path, "state/run", passt!, "net.pid"))) as { pid: number };
    const cgroupOf = (of: number) => /^0::.*$/m.exec(status(`/proc/${of}/cgroup`))?.[0];
    expect(cgroupOf(pid)).toBe(cgroupOf(vm.pid));
  });

  test("its user reaches nothing of the server's", () => {
    const run = join(home.path, "state/run", vm.id.slice(-12));
    const files = ["state/state.db", "state/admin.key", "state/signing.key"].map((name) => join(home.path, name));
    for (const path of [...files, join(run, "vmm.pid"), "/etc/shadow"])
      expect([path, asUser("cat", path).exitCode]).toEqual([path, 1]);
    expect(statSync(join(run, "vmm")).uid).toBe(UID);
    expect(existsSync(join(run, "vmm/token"))).toBe(false);
    expect(asUser("kill", "-0", String(process.pid)).exitCode).not.toBe(0);
  });

  test("the next server takes it up as it is, and a delete leaves nothing", async () => {
    await server.stop("SIGKILL");
    server = await home.serve();
    expect((await get()).isolation).toEqual(vm.isolation);
    await home.ok(["vms", "pause", "demo"]);
    await home.ok(["vms", "resume", "demo"]);
    expect((await home.ok(["eval", "demo", "40 + 2"])).trim()).toBe("42");
    const cgroup = /^0::(.*)$/m.exec(status(`/proc/${vm.pid}/cgroup`))?.[1] ?? "/";
    const vmm = identify(vm.pid)!;
    await home.ok(["vms", "delete", "demo"]);
    expect(isAlive(vmm)).toBe(false);
    const mount = cgroupMount();
    if ("path" in mount) expect(existsSync(join(mount.path, cgroup))).toBe(false);
  }, 120_000);
});
