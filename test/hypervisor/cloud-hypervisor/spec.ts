import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VMM_DIRECTORY } from "../../../src/config/paths.ts";
import type { MachineSpec } from "../../../src/hypervisor/driver.ts";
import { NoJail } from "../../../src/hypervisor/jail/no-jail.ts";

export const TOKEN = "5".repeat(64);

/** A VM as the engine would have it made, in directories of its own below `home`. */
export async function machineSpec(home: string, changes: Partial<MachineSpec> = {}): Promise<MachineSpec> {
  const vmId = changes.vmId ?? "01989f00-0000-7000-8000-000000000001";
  const runDir = join(home, "run", vmId.slice(-12));
  const logDir = join(home, "logs", vmId.slice(-12));
  const workDir = join(runDir, VMM_DIRECTORY);
  for (const directory of [workDir, logDir]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [kernel, initramfs] = [join(home, "vmlinuz"), join(home, "initrd")];
  for (const file of [kernel, initramfs, join(logDir, VM_LOG_FILES.console)]) writeFileSync(file, "", { flag: "a" });
  return {
    ...{ vmId, cpuCores: 1, memoryMb: 256, kernel, initramfs, rootfs: null, cmdline: "quiet panic=-1", token: TOKEN },
    nic: { kind: "tap", name: "tap0", namespace: "hype-2", mac: "02:68:79:70:65:01" },
    ...{ workDir, runDir, logDir, jail: await new NoJail("a test").make() },
    ...changes,
  };
}
