import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, readSync, rmSync, statSync } from "node:fs";
import type { FullConfig } from "./config.ts";
import { landlockAbi, lockFile, mayAdministerNetwork, openTap } from "./libc.ts";
import type { DiskConfig, NetConfig } from "./schema.ts";

/** Landlock's rules for files need the third version of its ABI (Linux 6.2). */
const LANDLOCK_ABI = 3;
const QCOW2_MAGIC = "QFI\xfb";
const PMEM_UNIT_BYTES = 2 * 1_048_576;

/** A fault of a device: the texts below "Error from device manager". */
export class DeviceError extends Error {
  constructor(readonly chain: [string, ...string[]]) {
    super(chain.join(": "));
  }
}

/** Opens console and serial as vm.create does: files are cut. @throws DeviceError */
export function openConsoles({ serial, console }: FullConfig): void {
  if (console.mode === "Socket") throw new DeviceError(["Socket mode is not supported for the console device"]);
  for (const { mode, file } of [serial, console]) {
    if (mode !== "File") continue;
    try {
      const fd = openSync(file ?? "", "a", 0o666);
      ftruncateSync(fd);
      closeSync(fd);
    } catch (thrown) {
      throw new DeviceError(["Error creating console device", osError(thrown)]);
    }
  }
}

/** What vm.create does about Landlock. @throws DeviceError */
export function applyLandlock(config: FullConfig, abi: number = landlockAbi()): void {
  if (!config.landlock_enable) return;
  if (abi < LANDLOCK_ABI) throw new DeviceError(["Landlock ABI version 3 is not supported by this kernel"]);
  for (const { path, access } of config.landlock_rules ?? []) {
    if (!/^(r|w|rw)$/.test(access)) throw new DeviceError([`Invalid Landlock access: ${access}`]);
    if (!existsSync(path))
      throw new DeviceError([`Failed to open Landlock path ${path}`, "No such file or directory (os error 2)"]);
  }
}

/** Payload, disks, taps, pmem and vsock of one boot; disposed when the machine goes. */
export class Devices implements Disposable {
  #undo: (() => void)[] = [];

  /** @param opensTaps the guest does not open its taps itself. @throws DeviceError; nothing is held then. */
  static open(config: FullConfig, opensTaps: boolean): Devices {
    const devices = new Devices();
    try {
      for (const disk of config.disks ?? []) devices.#disk(disk);
      for (const net of config.net ?? []) devices.#net(net, config, opensTaps);
      for (const { file, size } of config.pmem ?? []) {
        const bytes = size ?? statSync(devices.#readable(file, "Failed to open pmem file")).size;
        if (bytes % PMEM_UNIT_BYTES !== 0) throw new DeviceError([`pmem size ${bytes} is not a multiple of 2 MiB`]);
      }
      if (config.vsock) devices.#vsock(config.vsock.socket);
      devices.#readable(config.rng.src, "Cannot create virtio-rng device");
    } catch (thrown) {
      devices[Symbol.dispose]();
      throw thrown;
    }
    return devices;
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  #readable(path: string, what: string): string {
    try {
      closeSync(openSync(path, "r"));
      return path;
    } catch (thrown) {
      throw new DeviceError([what, osError(thrown)]);
    }
  }

  /** Locked as long as the machine lives: for reading when it is read-only, else for this one alone. */
  #disk({ path, readonly, image_type }: DiskConfig): void {
    let fd: number;
    try {
      fd = openSync(path ?? "", readonly ? "r" : "r+");
    } catch (thrown) {
      throw new DeviceError([`Failed to open disk path ${path}`, osError(thrown)]);
    }
    this.#undo.push(() => closeSync(fd));
    const magic = Buffer.alloc(4);
    readSync(fd, magic, 0, 4, 0);
    const isQcow2 = magic.toString("latin1") === QCOW2_MAGIC;
    if ((image_type === "Raw" && isQcow2) || (image_type === "Qcow2" && !isQcow2))
      throw new DeviceError([
        "Failed to create disk",
        `Image type ${image_type} does not match the content of ${path}`,
      ]);
    if (!lockFile(fd, readonly ? "read" : "write"))
      throw new DeviceError(["DiskLockError", `Can't lock ${path}: it is already locked by another process`]);
  }

  #net({ tap, ip, mtu, host_mac }: NetConfig, config: FullConfig, opensTaps: boolean): void {
    const privileged = mayAdministerNetwork();
    const exists = tap ? interfaces().has(tap) : false;
    const denied = "Operation not permitted (os error 1)";
    if (!exists && !privileged) throw new DeviceError(["Failed to create tap", "Failed to open taps", denied]);
    if ((mtu || host_mac || (ip && !exists)) && !privileged) throw new DeviceError(["Failed to set up tap", denied]);
    if (!exists || !tap) return; // the original makes one, and so does QEMU; without QEMU nothing is made
    const rule = `/sys/devices/virtual/net/${tap}`;
    if (config.landlock_enable && !config.landlock_rules?.some(({ path }) => isBelow(rule, path)))
      throw new DeviceError(["Failed to open taps", `Reading ${rule}/tun_flags`, "Permission denied (os error 13)"]);
    if (!opensTaps) return;
    const fd = openTap(tap);
    if (fd === null)
      throw new DeviceError(["Failed to open taps", `Unable to configure tap interface ${tap}`, "EBUSY or EPERM"]);
    this.#undo.push(() => closeSync(fd));
  }

  /** Bound at boot: a file that is there makes it fail; removed at a clean end. Nobody listens behind it in the stand-in's guest. */
  #vsock(path: string): void {
    if (existsSync(path))
      throw new DeviceError(["Cannot create virtio-vsock backend", "Address already in use (os error 98)"]);
    const listener = Bun.listen({ unix: path, socket: { data() {} } });
    this.#undo.push(() => {
      listener.stop(true);
      rmSync(path, { force: true });
    });
  }
}

const isBelow = (path: string, above: string): boolean =>
  `${path}/`.startsWith(above.endsWith("/") ? above : `${above}/`);

/** Opens the payload as the boot does, after the devices. @throws DeviceError */
export function checkPayload({ payload }: FullConfig): void {
  for (const [what, path] of [
    ["Cannot open kernel file", payload.kernel],
    ["Cannot open initramfs file", payload.initramfs],
    ["Cannot open firmware file", payload.firmware],
  ] as const) {
    if (!path) continue;
    try {
      closeSync(openSync(path, "r"));
    } catch (thrown) {
      throw new DeviceError([what, osError(thrown)]);
    }
  }
}

/** Interfaces of this process's network namespace, with what they count (proc(5)). */
function interfaces(): Map<string, number[]> {
  const lines = readFileSync("/proc/self/net/dev", "utf8").split("\n").slice(2);
  const rows = lines.map((line) => line.split(":") as [string, string?]);
  return new Map(rows.map(([name, counts = ""]) => [name.trim(), counts.trim().split(/\s+/).map(Number)]));
}

/** What a guest has received and sent: the other way round than its tap. */
export function netCounters(tap: string | null | undefined): Record<string, number> {
  const [rx_bytes = 0, rx_frames = 0, , , , , , , tx_bytes = 0, tx_frames = 0] = interfaces().get(tap ?? "") ?? [];
  return { rx_bytes: tx_bytes, rx_frames: tx_frames, tx_bytes: rx_bytes, tx_frames: rx_frames };
}

/** `No such file or directory (os error 2)`. */
function osError(thrown: unknown): string {
  const { code = "", errno = 0 } = thrown as { code?: string; errno?: number };
  const texts: Record<string, string> = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    EISDIR: "Is a directory",
  };
  return `${texts[code] ?? code} (os error ${Math.abs(errno)})`;
}
