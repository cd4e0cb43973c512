import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import { TOKEN_OEM_PREFIX } from "../../src/contract/index.ts";
import type { BootableImage } from "../../src/image/types.ts";

export type BootOptions = { initramfs?: string; rootfs?: string | null; rootSerial?: string; append?: string };

/** A guest booted by a bare QEMU command line, without network: what is tested here is the image, not the driver. */
export class BootedGuest implements AsyncDisposable {
  console = "";
  readonly #directory = mkdtempSync(join(tmpdir(), "hype-boot-"));
  readonly #qemu;
  readonly #reader: Promise<void>;
  #waiting: { text: string; found: () => void } | null = null;

  constructor(image: BootableImage, options: BootOptions = {}) {
    const { initramfs = image.initramfs, rootfs = image.rootfs, rootSerial = "root", append = "" } = options;
    const disk = rootfs
      ? [
          "-drive",
          `if=none,id=root,file=${rootfs},format=raw,readonly=on`,
          "-device",
          `virtio-blk-pci,drive=root,serial=${rootSerial}`,
        ]
      : [];
    const root = rootfs ? "hype.root=root" : "";
    this.#qemu = Bun.spawn(
      [
        "qemu-system-x86_64",
        ...["-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-m", "1024", "-smp", "2"],
        ...["-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"],
        ...["-kernel", image.kernel, "-initrd", initramfs],
        ...["-append", `console=ttyS0 quiet panic=-1 ${root} ${append}`],
        ...["-smbios", `type=11,value=${TOKEN_OEM_PREFIX}${"0".repeat(64)}`],
        ...["-qmp", `unix:${join(this.#directory, "qmp")},server=on,wait=off`],
        ...disk,
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    );
    this.#reader = this.#readConsole();
  }

  /** Settles when the machine has ended by itself, with QEMU's exit code. */
  get ended(): Promise<number> {
    return this.#qemu.exited;
  }

  /** Waits until the console has shown a text; rejects when the machine ends without it. */
  async says(text: string): Promise<void> {
    const said = new Promise<void>((found) => {
      this.#waiting = { text, found };
      if (this.console.includes(text)) found();
    });
    await Promise.race([said, this.#reader]);
    if (!this.console.includes(text)) throw new Error(`the guest ended without "${text}":\n${this.console}`);
  }

  /** Presses the ACPI power button. */
  async powerButton(): Promise<void> {
    const commands = '{"execute":"qmp_capabilities"}\n{"execute":"system_powerdown"}\n';
    const socket = await Bun.connect({
      unix: join(this.#directory, "qmp"),
      socket: { open: (door: Socket) => void door.write(commands), data: () => {} },
    });
    await this.ended;
    socket.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#qemu.kill("SIGKILL");
    await Promise.all([this.ended, this.#reader]);
    rmSync(this.#directory, { recursive: true });
  }

  async #readConsole(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#qemu.stdout) {
      this.console += decoder.decode(piece, { stream: true });
      if (this.#waiting && this.console.includes(this.#waiting.text)) this.#waiting.found();
    }
  }
}
