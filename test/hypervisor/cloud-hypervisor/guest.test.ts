import { describe, expect, test } from "bun:test";
import { readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AGENT_LISTENING_LINE } from "../../../src/contract/index.ts";
import { cpio } from "../../../src/image/cpio.ts";
import { canMakeSlots } from "./slot.ts";
import { REAL_PROGRAM, testImage, World } from "./world.ts";

/** Real kernels: booted by the stand-in's emulation, or by a real program with KVM. */
const image = await testImage();
const canBoot = canMakeSlots && image !== null && (REAL_PROGRAM !== null || Bun.which("qemu-system-x86_64") !== null);
const moods = REAL_PROGRAM === null ? ({ guest: "qemu" } as const) : null;
const TIMEOUT_MS = 120_000;

describe.skipIf(!canBoot)("a real guest", () => {
  test(
    "finds its disk by serial and its token, comes up to the agent, and the power button powers it off",
    async () => {
      const { kernel, initramfs, rootfs } = image!;
      const cmdline = "quiet panic=-1 hype.root=root hype.debug";
      await using world = await World.make(moods, { kernel, initramfs, rootfs, cmdline, memoryMb: 1024, cpuCores: 2 });
      const machine = await world.start();
      await says(join(world.spec.logDir, "console.log"), AGENT_LISTENING_LINE);
      await machine.powerButton();
      expect(await machine.exited).toMatchObject({ guestShutdown: true, guestFault: null });
    },
    TIMEOUT_MS,
  );

  test(
    "that panics and asks for a reset ends its machine, and its last words are kept",
    async () => {
      // An initramfs without anything to run: the kernel panics, and panic=-1 resets the machine at once.
      await using world = await World.make(moods, { kernel: image!.kernel });
      const initramfs = world.home.join("nothing.cpio");
      writeFileSync(initramfs, Buffer.concat([...cpio([], 0)]));
      const spec = { ...world.spec, initramfs, rootfs: null };
      const machine = await world.driver.start(spec, new AbortController().signal);
      expect(await world.hold(machine).exited).toMatchObject({ guestShutdown: false, guestFault: "reset" });
      expect(readFileSync(join(world.spec.logDir, "console.log"), "utf8")).toContain("Kernel panic - not syncing");
    },
    TIMEOUT_MS,
  );
});

/** Returns when a file has got a text in it. */
async function says(path: string, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => readFileSync(path, "utf8").includes(text) && resolve();
  const watcher = watch(path, () => {
    look();
    setTimeout(look, 50); // the watcher swallows a change that follows another at once
  });
  look();
  await promise.finally(() => watcher.close());
}
