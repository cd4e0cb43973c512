import { closeSync, openSync, readSync } from "node:fs";
import { HypeError, messageOf } from "../contract/index.ts";

/**
 * Looks at the files that stand in for an image's own: they must be readable, and the kernel must be one.
 * @throws HypeError image_invalid naming the variable and what was expected.
 */
export function checkOverrides({ kernel, initramfs }: { kernel: string | null; initramfs: string | null }): void {
  if (kernel && !isKernel(readHead("OVERHYPED_KERNEL", kernel)))
    throw new HypeError("image_invalid", `OVERHYPED_KERNEL: ${kernel} is neither a bzImage nor an ELF kernel`, {
      path: kernel,
    });
  if (initramfs && readHead("OVERHYPED_INITRAMFS", initramfs).length === 0)
    throw new HypeError("image_invalid", `OVERHYPED_INITRAMFS: ${initramfs} is empty`, { path: initramfs });
}

/** bzImage: `HdrS` at 0x202 (kernel: Documentation/x86/boot.rst); else an ELF file, as `vmlinux` is. */
const isKernel = (head: Buffer): boolean =>
  head.toString("latin1", 0x202, 0x206) === "HdrS" || head.toString("latin1", 0, 4) === "\x7fELF";

function readHead(variable: string, path: string): Buffer {
  try {
    const file = openSync(path, "r");
    try {
      const head = Buffer.alloc(1024);
      return head.subarray(0, readSync(file, head, 0, head.length, 0));
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    throw new HypeError(
      "image_invalid",
      `${variable}: ${path} cannot be read: ${messageOf(thrown)}`,
      { path },
      { cause: thrown },
    );
  }
}
