import * as v from "valibot";
import { HypeError, TOKEN_OEM_PREFIX } from "../../contract/index.ts";
import type { GuestNic, MachineSpec } from "../driver.ts";
import { BODY_LIMIT_BYTES, NIC_ID, ROOT_ID, tapDirectory } from "./facts.ts";

const path = v.pipe(v.string(), v.regex(/^[^\0]+$/));
const deviceId = v.pipe(v.string(), v.regex(/^(?!__)[a-z0-9]{1,20}$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(1));

/**
 * Exactly what we send as `VmConfig`, no field more: Cloud Hypervisor ignores a field it does not know without a word, so that a
 * misspelt one would be a measure that is not in force.
 */
export const VmConfig = v.strictObject({
  payload: v.strictObject({ kernel: path, initramfs: path, cmdline: v.string() }),
  // nested: the guest has no business with the host's VMX or SVM.
  cpus: v.strictObject({ boot_vcpus: count, max_vcpus: count, nested: v.literal(false) }),
  memory: v.strictObject({ size: count }), // bytes
  disks: v.array(
    v.strictObject({
      id: deviceId,
      path,
      readonly: v.literal(true),
      image_type: v.literal("Raw"), // unsaid, the content is sniffed: a disk of the guest's could pass for a QCOW2 file
      serial: v.pipe(v.string(), v.maxLength(20)),
    }),
  ),
  // No ip, mask, mtu and host_mac: each of them needs CAP_NET_ADMIN. Two queues are one pair: the tap has no multi_queue.
  net: v.array(
    v.strictObject({
      id: deviceId,
      tap: v.pipe(v.string(), v.maxLength(15)),
      mac: v.string(),
      num_queues: v.literal(2),
    }),
  ),
  rng: v.strictObject({ src: v.literal("/dev/urandom") }),
  // Tty is the program's standard output: our file, opened for appending. A file it opened itself would be emptied by a reset of the
  // guest, with the panic's last words in it, and could not be cut short under it.
  serial: v.strictObject({ mode: v.literal("Tty") }),
  console: v.strictObject({ mode: v.literal("Off") }),
  pvpanic: v.literal(true),
  platform: v.strictObject({ oem_strings: v.array(v.string()) }),
  landlock_enable: v.boolean(),
  landlock_rules: v.optional(v.array(v.strictObject({ path, access: v.picklist(["r", "w", "rw"]) }))),
});
export type VmConfig = v.InferOutput<typeof VmConfig>;

/** @throws HypeError hypervisor_unavailable for a network it cannot be plugged into */
export function mustBePluggable(nic: GuestNic): asserts nic is Extract<GuestNic, { kind: "tap" }> {
  if (nic.kind !== "tap") throw new HypeError("hypervisor_unavailable", NEEDS_SLOTS);
}

export const NEEDS_SLOTS =
  "Cloud Hypervisor cannot use the user network (passt): run `sudo hype setup` for the slot network, or set OVERHYPED_HYPERVISOR=qemu";

/**
 * The configuration of one VM; say it before the jail's command, which opens the files it names.
 * @throws HypeError hypervisor_unavailable as `mustBePluggable`; hypervisor_failed when it would be too long
 */
export function vmConfig(spec: MachineSpec): VmConfig {
  const { nic, jail } = spec;
  mustBePluggable(nic);
  const read = (file: string) => jail.reach(file, "read");
  const config: VmConfig = {
    payload: {
      kernel: read(spec.kernel),
      initramfs: read(spec.initramfs),
      cmdline: `console=ttyS0 ${spec.cmdline}`,
    },
    cpus: { boot_vcpus: spec.cpuCores, max_vcpus: spec.cpuCores, nested: false },
    memory: { size: spec.memoryMb * 1_048_576 },
    disks:
      spec.rootfs === null
        ? []
        : [{ id: ROOT_ID, path: read(spec.rootfs), readonly: true, image_type: "Raw", serial: "root" }],
    net: [{ id: NIC_ID, tap: nic.name, mac: nic.mac, num_queues: 2 }],
    rng: { src: "/dev/urandom" },
    serial: { mode: "Tty" },
    console: { mode: "Off" },
    pvpanic: true,
    platform: { oem_strings: [`${TOKEN_OEM_PREFIX}${spec.token}`] },
    landlock_enable: false,
  };
  const bytes = Buffer.byteLength(JSON.stringify(config)) + RULES_BYTES;
  if (bytes > BODY_LIMIT_BYTES)
    throw new HypeError(
      "hypervisor_failed",
      `the VM's configuration is ${bytes} bytes long, Cloud Hypervisor takes ${BODY_LIMIT_BYTES}: shorten the kernel command line`,
    );
  return v.parse(VmConfig, config);
}

/**
 * The same with Landlock in force. Kernel, initramfs, disks, rng and /dev/net/tun it allows by itself; "." is its working directory
 * (it removes its socket there).
 * @param tapSeen whether the VMM sees its tap in /sys: a rule may only name what is there.
 */
export const withLandlock = (config: VmConfig, tapSeen: boolean): VmConfig => ({
  ...config,
  landlock_enable: true,
  landlock_rules: [
    { path: ".", access: "rw" },
    ...(tapSeen ? config.net.map(({ tap }) => ({ path: tapDirectory(tap), access: "r" as const })) : []),
  ],
});

const RULES_BYTES = 512;
