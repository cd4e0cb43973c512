import { fstatSync, readFileSync } from "node:fs";
import { type FullConfig, ramBytes } from "./config.ts";

const MIB = 1_048_576;
const FD_SET = 1;

/**
 * QEMU's command line for the machine a config describes, as near to the original as QEMU comes: virtio over PCI, one serial port,
 * no other devices. It is stopped until QMP says `cont`.
 * @param stdoutFd QEMU's descriptor of the VMM's standard output, for a console of mode Tty.
 * @param oemPaths files that hold the OEM strings: on a command line everybody could read them.
 * @throws Error for what QEMU cannot stand in for.
 */
export function qemuArguments(config: FullConfig, stdoutFd: number, oemPaths: string[]): string[] {
  const { payload, cpus } = config;
  const pmem = config.pmem ?? [];
  const ramMib = Math.floor(ramBytes(config) / MIB);
  if (!payload.kernel) throw new Error("the emulation boots a kernel only, no firmware");
  if (config.fs?.length) throw new Error("the emulation has no virtiofs");
  const slots = pmem.length > 0 ? `,slots=${pmem.length},maxmem=${ramMib + pmem.length * 4096}M` : "";
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-S", "-qmp", "stdio"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-machine", "q35,usb=off,vmport=off", "-accel", "tcg,thread=multi", "-cpu", "max"],
    ...["-smp", String(cpus.boot_vcpus), "-m", `${ramMib}M${slots}`],
    // The VMM reboots, not QEMU; and a guest that panicked runs on.
    ...["-no-reboot", "-action", "panic=none"],
    ...(config.pvpanic ? ["-device", "pvpanic-pci"] : []),
    ...["-kernel", plain(payload.kernel)],
    ...(payload.initramfs ? ["-initrd", plain(payload.initramfs)] : []),
    ...(payload.cmdline ? ["-append", payload.cmdline] : []),
    ...(config.disks ?? []).flatMap((disk, at) => [
      "-drive",
      `if=none,id=disk${at},file=${plain(disk.path ?? "")},format=${disk.image_type === "Qcow2" ? "qcow2" : "raw"}` +
        `,readonly=${disk.readonly ? "on" : "off"},file.locking=off`,
      "-device",
      `virtio-blk-pci,drive=disk${at}${disk.serial ? `,serial=${plain(disk.serial)}` : ""}`,
    ]),
    ...(config.net ?? []).flatMap((net, at) => [
      "-netdev",
      `tap,id=net${at},ifname=${plain(net.tap ?? `vmtap${at}`)},script=no,downscript=no,vhost=off`,
      "-device",
      `virtio-net-pci,netdev=net${at}${net.mac ? `,mac=${net.mac}` : ""},romfile=`,
    ]),
    ...pmem.flatMap((device, at) => {
      const size = device.size ?? Bun.file(device.file).size;
      return [
        "-object",
        `memory-backend-file,id=pmem${at},mem-path=${plain(device.file)},size=${size},share=${device.discard_writes ? "off" : "on"}`,
        "-device",
        `virtio-pmem-pci,memdev=pmem${at}`,
      ];
    }),
    ...["-object", `rng-random,id=rng,filename=${plain(config.rng.src)}`, "-device", "virtio-rng-pci,rng=rng"],
    ...(config.balloon ? ["-device", "virtio-balloon-pci"] : []),
    ...(fstatSync(1).isSocket() ? [] : ["-add-fd", `fd=${stdoutFd},set=${FD_SET}`]),
    ...serial(config, stdoutFd),
    ...virtioConsole(config, stdoutFd),
    ...oemPaths.flatMap((path) => ["-smbios", `type=11,path=${path}`]),
  ];
}

function serial({ serial: { mode, file } }: FullConfig, stdoutFd: number): string[] {
  if (mode === "Off") return [];
  if (mode === "Null") return ["-serial", "null"];
  return ["-chardev", chardev("serial", mode, file, stdoutFd), "-serial", "chardev:serial"];
}

function virtioConsole({ console: { mode, file } }: FullConfig, stdoutFd: number): string[] {
  if (mode === "Off" || mode === "Null") return [];
  return [
    ...["-device", "virtio-serial-pci", "-chardev", chardev("console", mode, file, stdoutFd)],
    ...["-device", "virtconsole,chardev=console"],
  ];
}

/** A file is not appended to: whoever cuts it short under the VMM gets a hole, as with the original. Tty is the VMM's own output. */
function chardev(id: string, mode: string, file: string | null | undefined, stdoutFd: number): string {
  if (mode === "Tty") {
    if (fstatSync(1).isSocket()) return `socket,id=${id},fd=${stdoutFd}`;
    // QEMU takes a descriptor over only when it is for writing alone (fdinfo's flags end in the access mode, proc(5)).
    const writeOnly = /^flags:\s+\d*1$/m.test(readFileSync("/proc/self/fdinfo/1", "utf8"));
    return `file,id=${id},path=${writeOnly ? `/dev/fdset/${FD_SET}` : `/proc/${process.pid}/fd/1`},append=on`;
  }
  if (mode === "File") return `file,id=${id},path=${plain(file ?? "")}`;
  throw new Error(`the emulation has no ${id} of mode ${mode}`);
}

/** QEMU's option parser splits at commas, which are doubled to be meant. A descriptor of ours is under another name in QEMU's process. */
const plain = (path: string): string => path.replace(/^\/proc\/self\//, `/proc/${process.pid}/`).replaceAll(",", ",,");
