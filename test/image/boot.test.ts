import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { AGENT_LISTENING_LINE } from "../../src/contract/index.ts";
import { cpio } from "../../src/image/cpio.ts";
import { Images } from "../../src/image/images.ts";
import { silentLog } from "../../src/log/log.ts";
import { TEST_IMAGE_DIR } from "../lib/hype.ts";
import { BootedGuest } from "./boot-guest.ts";
import { ImageDir } from "./made-up-image.ts";

/** The image of the check; where none was built yet there is nothing to boot. */
const images = new Images({ imageDir: TEST_IMAGE_DIR, kernel: null, initramfs: null }, silentLog);
const image = images.list().some(({ is_default, format }) => is_default && format === "layered")
  ? await images.resolve(null)
  : null;
const TIMEOUT_MS = 120_000;

describe.skipIf(!image || !Bun.which("qemu-system-x86_64"))("a guest of the built image", () => {
  test(
    "comes up to the agent, and the power button ends it",
    async () => {
      await using guest = new BootedGuest(image!, { append: "hype.debug" });
      await guest.says(AGENT_LISTENING_LINE);
      await guest.powerButton();
      expect(await guest.ended).toBe(0);
      const steps = [...guest.console.matchAll(/hype-init: [\d.]+ s: (.*?)\r?\n/g)].map(([, step]) => step);
      expect(steps).toEqual(["modules", "network", "root", "hand over"]);
    },
    TIMEOUT_MS,
  );

  test(
    "as a bundle needs no disk: the root may stand in the initramfs",
    async () => {
      using dir = new ImageDir();
      // Archives of an initramfs stand one after the other: the root goes before the image's own.
      const root = { path: "rootfs.erofs", kind: "file", data: readFileSync(image!.rootfs!), mode: 0o644 } as const;
      writeFileSync(dir.file("initramfs"), Buffer.concat([...cpio([root], 0), readFileSync(image!.initramfs)]));
      await using guest = new BootedGuest(image!, { initramfs: dir.file("initramfs"), rootfs: null });
      await guest.says(AGENT_LISTENING_LINE);
    },
    TIMEOUT_MS,
  );

  test.each([
    ["the disk has another serial number", { rootSerial: "other" }, "hype-init: no disk has the serial number root"],
    ["there is no root at all", { rootfs: null }, "hype-init: neither hype.root= nor /rootfs.erofs"],
    ["the disk holds no file system", { rootfs: import.meta.path }, "hype-init: cannot mount the root from /dev/vda"],
    ["the kernel panics", { append: "rdinit=/none root=/dev/none" }, "Kernel panic - not syncing"],
  ])(
    "that cannot come up says why and ends: %s",
    async (_, options, words) => {
      await using guest = new BootedGuest(image!, options);
      expect(await guest.ended).toBe(0);
      await guest.says(words);
      expect(guest.console).not.toContain(AGENT_LISTENING_LINE);
    },
    TIMEOUT_MS,
  );
});
