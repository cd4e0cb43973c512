import { EXPECT_PROFILE_WORD, EXPECT_PROXY_WORD, type Vm } from "../contract/index.ts";
import type { BootableImage } from "../image/types.ts";

/**
 * The guest kernel's command line but for the console, which the driver owns. `panic=-1` reboots at once on a panic
 * (Linux kernel-parameters.txt), which our drivers turn into the end of the machine. Self-tests of ciphers cost an emulated
 * guest 0.1-0.3 s of its boot (measured). The user's words come last: they win.
 */
export function kernelCommandLine(
  vm: Pick<Vm, "kernel_cmdline">,
  image: Pick<BootableImage, "rootfs">,
  ipParameter: string,
  { hasProxy = false, awaitsProfile = false } = {},
): string {
  return [
    "quiet",
    "panic=-1",
    "cryptomgr.notests",
    `ip=${ipParameter}`,
    hasProxy ? EXPECT_PROXY_WORD : null,
    awaitsProfile ? EXPECT_PROFILE_WORD : null,
    image.rootfs ? "hype.root=root" : null,
    vm.kernel_cmdline,
  ]
    .filter(Boolean)
    .join(" ");
}
