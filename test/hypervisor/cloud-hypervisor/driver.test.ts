import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { executableOf, isAlive } from "../../../src/host/process.ts";
import { CloudHypervisorDriver } from "../../../src/hypervisor/cloud-hypervisor/driver.ts";
import { FILE_LIMIT_BYTES } from "../../../src/hypervisor/cloud-hypervisor/facts.ts";
import type { CloudHypervisorMachine } from "../../../src/hypervisor/cloud-hypervisor/machine.ts";
import { HostJailer } from "../../../src/hypervisor/jail/host-jailer.ts";
import { canMakeSlots } from "./slot.ts";
import { TOKEN } from "./spec.ts";
import { REAL_PROGRAM, World } from "./world.ts";

/** A signal for those that never give one. */
const never = new AbortController().signal;
const TIMEOUT_MS = 60_000;

/** These run against the stand-in and against a real program alike (docs/cloud-hypervisor.md). */
describe.skipIf(!canMakeSlots)("a machine", () => {
  test(
    "runs, is paused and goes on, twice each, and is ended",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      expect(await machine.state()).toBe("running");
      for (const _again of [1, 2]) await machine.pause();
      expect(await machine.state()).toBe("paused");
      for (const _again of [1, 2]) await machine.resume();
      expect(await machine.state()).toBe("running");
      expect(await machine.memoryMb()).toBeGreaterThan(0);
      expect(Object.keys(await (machine as CloudHypervisorMachine).counters())).toContain("net0");
      await machine.powerButton();

      await machine.kill();
      expect(await machine.exited).toMatchObject({ guestShutdown: false, guestFault: null });
      expect(await machine.state()).toBe("dead");
      await machine.kill();
      expect(isAlive(machine.record.process)).toBe(false);
      expect(existsSync(join(world.spec.workDir, "api.sock"))).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "is one process in the slot's namespace, in its own session and directory, without the token on its command line",
    async () => {
      await using world = await World.make();
      const { record, isolation } = await world.start();
      const { pid } = record.process;
      expect(record).toMatchObject({ hypervisor: "cloud-hypervisor", accelerator: "kvm", runDir: world.spec.workDir });
      expect(["sh", "dash", "bash", "setpriv"]).not.toContain(basename(executableOf(record.process) ?? ""));
      expect(record.process).toMatchObject(
        JSON.parse(readFileSync(join(world.spec.runDir, "vmm.pid"), "utf8")) as object,
      );
      expect(readFileSync(`/proc/${pid}/net/dev`, "utf8")).toContain("tap0");
      const session = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[3];
      expect(Number(session)).toBe(pid);
      expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(TOKEN);
      expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toContain(`HYPE_DIRECTORY=${world.spec.workDir}\0`);
      expect(isolation?.measures).toContain("seccomp");
      expect(isolation?.measures).toContain("network-namespace");
      expect(isolation?.missing).toContainEqual({ measure: "landlock", reason: "a test" });
    },
    TIMEOUT_MS,
  );

  test(
    "keeps its secrets: files are its user's alone and the log does not hold the token",
    async () => {
      await using world = await World.make();
      await world.start();
      for (const file of [join(world.spec.workDir, "events"), join(world.spec.logDir, "vmm.log")])
        expect(statSync(file).mode & 0o077).toBe(0);
      expect(statSync(join(world.spec.workDir, "api.sock")).mode & 0o077).toBe(0);
      expect(readFileSync(join(world.spec.logDir, "vmm.log"), "utf8")).not.toContain(TOKEN);
    },
    TIMEOUT_MS,
  );

  test(
    "is taken up by the next server, which can steer it and hears of its end",
    async () => {
      await using world = await World.make();
      const first = await world.start();
      first.detach();
      const record = JSON.parse(JSON.stringify(first.record)) as typeof first.record;
      const second = world.hold(
        await new CloudHypervisorDriver("/no/such", "v53.0", "a test").adopt(record, world.spec.logDir),
      );
      expect(await second?.state()).toBe("running");
      await second?.pause();
      expect(await second?.state()).toBe("paused");
      process.kill(record.process.pid, "SIGKILL");
      expect(await second?.exited).toMatchObject({ exitCode: null, guestShutdown: false, guestFault: null });
      expect(await world.driver.adopt(record, world.spec.logDir)).toBeNull();
    },
    TIMEOUT_MS,
  );

  test(
    "is ended by the next server as by the first",
    async () => {
      await using world = await World.make();
      const first = await world.start();
      first.detach();
      const second = world.hold(await world.driver.adopt(first.record, world.spec.logDir));
      await second?.kill();
      expect(await second?.exited).toMatchObject({ guestShutdown: false, guestFault: null });
      expect(isAlive(first.record.process)).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "SIGTERM by somebody else is no power-off of the guest, though the program exits 0",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      process.kill(machine.record.process.pid, "SIGTERM");
      expect(await machine.exited).toMatchObject({ exitCode: 0, guestShutdown: false, guestFault: null });
    },
    TIMEOUT_MS,
  );

  test(
    "is not mistaken for another one whose socket its VMM links to in the place of its own",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      const asked: string[] = [];
      const other = world.home.join("other.sock");
      using _other = Bun.serve({ unix: other, fetch: (request) => new Response(void asked.push(request.url)) });
      rmSync(join(world.spec.workDir, "api.sock"));
      symlinkSync(other, join(world.spec.workDir, "api.sock"));
      expect(await machine.pause().catch((thrown: unknown) => thrown)).toMatchObject({ code: "hypervisor_failed" });
      await machine.kill();
      expect(isAlive(machine.record.process)).toBe(false);
      expect(asked).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "whose events cannot be heeded any more is ended, and the log says why",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      truncateSync(join(world.spec.workDir, "events"), FILE_LIMIT_BYTES);
      const { guestShutdown, output } = await machine.exited;
      expect([guestShutdown, output]).toEqual([false, expect.stringContaining("event file is full")]);
    },
    TIMEOUT_MS,
  );

  test(
    "lives in its jail: a user of its own opens console, events and kernel in directories that are closed to it",
    async () => {
      const uid = 1_900_000_002;
      const gap = { reason: "a test" };
      const means = {
        user: { base: uid - 2, groups: REAL_PROGRAM === null ? [] : [statSync("/dev/kvm").gid] },
        cgroups: gap,
        capabilities: true,
        emptyNetwork: true,
      } as const;
      const vmId = "01989f00-0000-7000-8000-000000000001";
      const request = { vmId, slot: 2, cpuCores: 1, memoryMb: 256, accelerator: "kvm" } as const;
      const jail = await new HostJailer(means, "/no/images", false).make(request);
      await using world = await World.make(null, {}, jail);
      const machine = await world.start();
      const status = readFileSync(`/proc/${machine.record.process.pid}/status`, "utf8");
      expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1)).toEqual([String(uid), String(uid)]);
      expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toBe("0000000000000000");
      expect(machine.isolation?.measures).toEqual(expect.arrayContaining(["own-user", "no-capabilities", "seccomp"]));
      await machine.pause();
      expect(await machine.state()).toBe("paused");
      const again = world.hold(await world.driver.adopt(machine.record, world.spec.logDir));
      process.kill(machine.record.process.pid, "SIGTERM");
      expect(await again?.exited).toMatchObject({ guestShutdown: false });
    },
    TIMEOUT_MS,
  );

  test.each([
    ["a kernel that is not there", { kernel: "/no/such/kernel" }, "No such file"],
    ["a disk that is not there", { rootfs: "/no/such/disk" }, "No such file"],
    [
      "a MAC address that is none",
      { nic: { kind: "tap", name: "tap0", namespace: "hype-2", mac: "nonsense" } as const },
      "Cloud Hypervisor refused",
    ],
  ])(
    "%s fails the start with Cloud Hypervisor's own words, and nothing is left",
    async (_name, changes, words) => {
      await using world = await World.make(null, changes);
      const error = await world.failure();
      expect(error.code).toBe("hypervisor_failed");
      expect(error.message).toContain(words);
      expect((error.details.chain as string[]).length).toBeGreaterThan(1);
      world.expectNothingLeft();
    },
    TIMEOUT_MS,
  );

  test(
    "files of an earlier start that was killed are no obstacle",
    async () => {
      await using world = await World.make();
      const first = await world.start();
      process.kill(first.record.process.pid, "SIGKILL");
      await first.exited;
      const again = await world.driver.start(world.spec, never);
      world.hold(again);
      expect(await again.state()).toBe("running");
    },
    TIMEOUT_MS,
  );

  test("a start that is cancelled leaves nothing", async () => {
    await using world = await World.make();
    const cancel = new AbortController();
    const failing = world.failure(cancel.signal);
    cancel.abort();
    expect((await failing).code).toBe("cancelled");
    world.expectNothingLeft();
  });
});
