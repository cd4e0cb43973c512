import { describe, expect, test } from "bun:test";
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../../src/host/process.ts";
import type { MachineExit } from "../../../src/hypervisor/driver.ts";
import type { Moods } from "../../lib/fake-cloud-hypervisor.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";
import { canMakeSlots } from "./slot.ts";
import { TOKEN } from "./spec.ts";
import { REAL_PROGRAM, World } from "./world.ts";

const TIMEOUT_MS = 30_000;
const skip = !canMakeSlots || REAL_PROGRAM !== null;

describe.skipIf(skip)("a start that goes wrong, on the stand-in's order", () => {
  const chain = ["Error from API", "The VM could not boot", "Error from device manager", "out of luck"];
  const failures: [name: string, moods: Partial<Moods>, code: string, words: string[]][] = [
    [
      "dies at once",
      { start: { dies: { message: "no such feature", code: 1 } } },
      "hypervisor_failed",
      ["exit code 1", "no such feature"],
    ],
    ["opens no socket", { start: { noSocket: true } }, "hypervisor_failed", ["did not open its API socket"]],
    ["is older than it said", { version: "v40.0" }, "hypervisor_unavailable", ["v40.0", "v53.0 or newer"]],
    [
      "dies at the first question",
      { calls: { "vmm.ping": { crash: "SIGSEGV" } } },
      "hypervisor_failed",
      ["vmm.ping", "killed by SIGSEGV"],
    ],
    ["hangs up at the first question", { calls: { "vmm.ping": { drop: true } } }, "hypervisor_failed", ["vmm.ping"]],
    ["answers half", { calls: { "vmm.ping": { halfWrite: true } } }, "hypervisor_failed", ["vmm.ping"]],
    [
      "refuses the configuration",
      { calls: { "vm.create": { refuse: { status: 400, chain } } } },
      "hypervisor_failed",
      ["vm.create (400)", chain.join(": ")],
    ],
    [
      "breaks its filter",
      { calls: { "vm.create": { seccomp: true } } },
      "hypervisor_failed",
      ["vm.create", "killed by SIGSYS", "seccomp violation"],
    ],
    [
      "refuses the boot",
      { calls: { "vm.boot": { refuse: { chain } } } },
      "hypervisor_failed",
      ["vm.boot (500)", chain.join(": ")],
    ],
    [
      "panics in the boot",
      { calls: { "vm.boot": { crash: 1 } } },
      "hypervisor_failed",
      ["vm.boot", "exit code 1", "panicked"],
    ],
    ["hangs up in the boot", { calls: { "vm.boot": { drop: true } } }, "hypervisor_failed", ["vm.boot"]],
    [
      "boots, and dies before it says so",
      { calls: { "vm.boot": { crashAfter: true } } },
      "hypervisor_failed",
      ["killed by SIGKILL"],
    ],
    [
      "cannot be ended by itself",
      { ignoreSignals: true, calls: { "vm.boot": { refuse: { chain } }, "vmm.shutdown": { stall: true } } },
      "hypervisor_failed",
      ["out of luck"],
    ],
    [
      "leaves its sockets",
      { leaveSockets: true, calls: { "vm.boot": { refuse: { chain } } } },
      "hypervisor_failed",
      ["out of luck"],
    ],
  ];
  test.each(failures)(
    "the program %s",
    async (_name, moods, code, words) => {
      await using world = await World.make(moods);
      const error = await world.failure();
      expect(error.code).toBe(code as never);
      for (const word of words) expect(error.message).toContain(word);
      expect(error.message).not.toContain(TOKEN);
      world.expectNothingLeft();
    },
    TIMEOUT_MS,
  );

  test.each(["vmm.ping", "vm.create", "vm.boot"])(
    "a start that hangs in %s and is cancelled leaves nothing",
    async (call) => {
      await using world = await World.make({ calls: { [call]: { stall: true } } });
      const cancel = new AbortController();
      const failing = world.failure(cancel.signal);
      await started(world);
      await world.fake!.held(world.pid, call);
      cancel.abort();
      expect((await failing).code).toBe("cancelled");
      world.expectNothingLeft();
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(skip)("what a guest does, on the stand-in's order", () => {
  const deeds: [deed: "power-off" | "reset" | "panic" | "die", expected: Partial<MachineExit>][] = [
    ["power-off", { exitCode: 0, guestShutdown: true, guestFault: null }],
    ["reset", { guestShutdown: false, guestFault: "reset" }],
    ["panic", { guestShutdown: false, guestFault: "panic" }],
    [
      "die",
      { guestShutdown: false, guestFault: null, output: expect.stringContaining("VCPU generated error") as never },
    ],
  ];
  for (const paused of [false, true])
    test.each(deeds)(
      `%s ends the machine, and it is known why${paused ? ", also after a pause" : ""}`,
      async (deed, expected) => {
        await using world = await World.make();
        const machine = await world.start();
        if (paused) await machine.pause().then(() => machine.resume());
        // A machine that resets is ended so fast that the order may get no answer.
        await world.fake!.guest(world.pid, deed).catch(() => {});
        expect(await machine.exited).toMatchObject(expected);
        expect(isAlive(machine.record.process)).toBe(false);
        expect(existsSync(join(world.spec.workDir, "api.sock"))).toBe(false);
      },
      TIMEOUT_MS,
    );

  test(
    "a vCPU that failed is no power-off, should the program stay after it",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      appendFileSync(
        join(world.spec.logDir, "vmm.log"),
        "cloud-hypervisor: <vmm> ERROR -- VCPU generated error: broken\n",
      );
      await world.fake!.guest(world.pid, "power-off");
      expect(await machine.exited).toMatchObject({ guestShutdown: false, guestFault: null });
    },
    TIMEOUT_MS,
  );

  test.each(deeds.slice(0, 3))(
    "%s while no server watched is seen by the next one",
    async (deed, expected) => {
      await using world = await World.make();
      const first = await world.start();
      first.detach();
      const { pid } = world;
      await world.fake!.guest(pid, deed);
      await world.fake!.calls(pid); // answered after the deed
      const second = world.hold(await world.driver.adopt(first.record, world.spec.logDir));
      expect(await second!.exited).toMatchObject({ ...expected, exitCode: null });
    },
    TIMEOUT_MS,
  );

  test(
    "a guest that resets as soon as it boots is not taken for a started one for long",
    async () => {
      await using world = await World.make({ guestDoes: "reset" });
      const machine = await world.start().catch(() => null);
      if (machine) expect(await machine.exited).toMatchObject({ guestFault: "reset" });
      else world.expectNothingLeft();
    },
    TIMEOUT_MS,
  );

  test(
    "what it writes stays bounded and whole: the console may be cut short under the VMM",
    async () => {
      using signals = temporaryDirectory();
      const [flooded, goOn] = [signals.join("flooded"), signals.join("go-on")];
      const flood = "seq -f 'line %012.0f of a guest that talks too much' 1 400000"; // 18 MB
      const script = `${flood}; : > ${flooded}; until [ -e ${goOn} ]; do sleep 0.01; done; echo that was all`;
      await using world = await World.make({ guestCommand: ["/bin/sh", "-c", script] });
      const machine = await world.start();
      const console = join(world.spec.logDir, "console.log");
      await until(() => existsSync(flooded) && statSync(console).size <= 8 * 1_048_576);
      writeFileSync(goOn, "");
      expect(await machine.exited).toMatchObject({ guestShutdown: true });
      expect(statSync(`${console}.1`).size).toBeGreaterThan(0);
      for (const file of [console, `${console}.1`]) {
        expect(statSync(file).size).toBeLessThanOrEqual(9 * 1_048_576);
        expect(readFileSync(file).includes(0)).toBe(false);
      }
      expect(readFileSync(console, "utf8").endsWith("that was all\n")).toBe(true);
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(skip)("a machine that does not answer, on the stand-in's order", () => {
  test(
    "is ended all the same: whatever it is busy with",
    async () => {
      await using world = await World.make({ ignoreSignals: true });
      const machine = await world.start();
      await world.fake!.change(world.pid, { calls: { "vm.pause": { stall: true }, "vmm.shutdown": { stall: true } } });
      const pausing = machine.pause().catch((thrown: unknown) => thrown);
      await world.fake!.held(world.pid, "vm.pause");
      await machine.kill();
      expect(await machine.exited).toMatchObject({ signal: "SIGKILL", guestShutdown: false });
      expect(await pausing).toMatchObject({ code: "hypervisor_failed" });
      expect(isAlive(machine.record.process)).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "is ended when it does not even end when told to",
    async () => {
      await using world = await World.make({ ignoreSignals: true });
      const machine = await world.start();
      await world.fake!.change(world.pid, { calls: { "vmm.shutdown": { stall: true } } });
      await machine.kill();
      expect(await machine.exited).toMatchObject({ signal: "SIGKILL" });
    },
    TIMEOUT_MS,
  );

  test(
    "and is only slow is not taken for dead",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      await world.fake!.change(world.pid, { calls: { "vm.info": { stall: true } } });
      const state = machine.state();
      await world.fake!.held(world.pid, "vm.info");
      expect(isAlive(machine.record.process)).toBe(true);
      await world.fake!.release(world.pid, "vm.info");
      expect(await state).toBe("running");
    },
    TIMEOUT_MS,
  );

  test(
    "and refuses to pause says why",
    async () => {
      await using world = await World.make();
      const machine = await world.start();
      await world.fake!.change(world.pid, {
        calls: { "vm.pause": { refuse: { chain: ["Error from API", "no pause today"] } } },
      });
      expect(await machine.pause().catch((thrown: unknown) => thrown)).toMatchObject({
        code: "hypervisor_failed",
        message: expect.stringContaining("Error from API: no pause today"),
      });
      expect(await machine.state()).toBe("running");
    },
    TIMEOUT_MS,
  );
});

test.skipIf(skip)(
  "thirty machines one after the other leave no descriptor open",
  async () => {
    await using world = await World.make();
    const descriptors = () => readdirSync("/proc/self/fd").length;
    let before = 0;
    for (let round = 0; round < 30; round++) {
      const machine = await world.driver.start(world.spec, new AbortController().signal);
      if (round % 2 === 0) await machine.kill();
      else process.kill(machine.record.process.pid, "SIGKILL");
      await machine.exited;
      machine.detach();
      if (round === 4) before = descriptors();
    }
    expect(descriptors()).toBeLessThanOrEqual(before + 2);
  },
  TIMEOUT_MS,
);

test.skipIf(skip)(
  "a directory that cannot be written is said, and nothing is started",
  async () => {
    await using world = await World.make();
    writeFileSync(join(world.home.path, "file"), "");
    chmodSync(join(world.home.path, "file"), 0o600);
    const spec = { ...world.spec, runDir: join(world.home.path, "file") };
    const thrown = await world.driver.start(spec, new AbortController().signal).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Error);
    expect(world.fake!.starts()).toEqual([]);
  },
  TIMEOUT_MS,
);

/** Returns when the stand-in has begun and takes orders. */
async function started(world: World): Promise<void> {
  await until(() => world.fake!.starts().length > 0);
  for (let takesOrders = false; !takesOrders;)
    takesOrders = await world.fake!.calls(world.pid).then(
      () => true,
      () => false,
    );
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}
