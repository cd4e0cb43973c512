import { readFileSync } from "node:fs";
import { release } from "node:os";
import { messageOf } from "../../contract/index.ts";

const LSM_FILE = "/sys/kernel/security/lsm";

/**
 * Why Cloud Hypervisor's Landlock rules cannot be in force on this host; null when they can. It wants ABI 3, which came with
 * Linux 6.2 (landlock(7)), and the module has to be switched on at boot (`lsm=`).
 */
export function landlockMissing(lsmFile: string = LSM_FILE, kernelRelease: string = release()): string | null {
  const [major = 0, minor = 0] = kernelRelease.split(".").map((part) => Number.parseInt(part, 10));
  if (major < 6 || (major === 6 && minor < 2))
    return `Linux ${kernelRelease} has it in too old a form: 6.2 or newer is needed`;
  try {
    const modules = readFileSync(lsmFile, "utf8").trim().split(",");
    return modules.includes("landlock") ? null : "the kernel has it not switched on (lsm= on its command line)";
  } catch (thrown) {
    return `the kernel does not say whether it has it: ${messageOf(thrown)}`;
  }
}
