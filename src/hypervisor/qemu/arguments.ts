import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../config/paths.ts";
import { HypeError } from "../../contract/index.ts";
import type { MachineSpec } from "../driver.ts";

/**
 * QEMU's command line for one VM. Paths inside the run directory are relative to it, the same for every VM.
 * `q35`, not `microvm`: the latter hangs at times under software emulation (measured with QEMU 7.2).
 */
export function qemuArguments(spec: MachineSpec, accelerator: "kvm" | "tcg"): string[] {
  const opened = (file: string) => plain(spec.jail.reach(file, "read"));
  return [
    ...["-name", `hype-${spec.vmId.slice(-12)}`],
    // Nothing that the distribution or a config file adds: the machine is what stands here.
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-machine", "q35,usb=off,vmport=off"],
    ...(accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "max"]),
    ...["-smp", String(spec.cpuCores), "-m", `${spec.memoryMb}M`],
    // A reset ends the process: a guest is never silently replaced by a rebooted one.
    ...["-no-reboot", "-device", "pvpanic-pci"],
    ...["-kernel", opened(spec.kernel), "-initrd", opened(spec.initramfs)],
    ...["-append", `console=ttyS0 ${spec.cmdline}`],
    ...(spec.rootfs
      ? [
          "-drive",
          `if=none,id=root,file=${opened(spec.rootfs)},format=raw,readonly=on`,
          "-device",
          "virtio-blk-pci,drive=root,serial=root",
        ]
      : []),
    ...nicArguments(spec),
    ...["-device", "virtio-rng-pci"],
    // append: the file may be cut short under QEMU, and QEMU goes on at the new end.
    ...[
      "-chardev",
      `file,id=console,path=${plain(spec.jail.reach(join(spec.logDir, VM_LOG_FILES.console), "append"))},append=on`,
      "-serial",
      "chardev:console",
    ],
    ...["-qmp", `unix:${VM_RUN_FILES.qmp},server=on,wait=off`],
    ...["-smbios", `type=11,path=${VM_RUN_FILES.token}`],
  ];
}

function nicArguments({ nic }: MachineSpec): string[] {
  const device = ["-device", `virtio-net-pci,id=net0,netdev=net0,mac=${nic.mac},romfile=`];
  if (nic.kind === "passt")
    return ["-netdev", `stream,id=net0,server=off,addr.type=unix,addr.path=${plain(nic.socket)}`, ...device];
  return ["-netdev", `tap,id=net0,ifname=${plain(nic.name)},script=no,downscript=no`, ...device];
}

/** QEMU's option parser splits at commas; a path with one would become options. */
function plain(path: string): string {
  if (path.includes(",")) throw new HypeError("hypervisor_failed", `QEMU cannot take a path with a comma: ${path}`);
  return path;
}
