import type { VmConfig } from "./schema.ts";

/** A config as vm.info shows it: with every default, and after the boot with the ids of all devices. */
export type FullConfig = VmConfig & {
  cpus: NonNullable<VmConfig["cpus"]>;
  memory: NonNullable<VmConfig["memory"]>;
  rng: NonNullable<VmConfig["rng"]>;
  serial: NonNullable<VmConfig["serial"]>;
  console: NonNullable<VmConfig["console"]>;
};

const given = <Shape extends object>(value: Shape): Shape =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)) as Shape;

/** Puts the defaults of the facts sheet (section 4) under what was sent. */
export function withDefaults(sent: VmConfig): FullConfig {
  return {
    cpus: {
      topology: null,
      kvm_hyperv: false,
      max_phys_bits: 46,
      nested: true,
      affinity: null,
      features: { amx: false },
      core_scheduling: "Vm",
      ...given(sent.cpus ?? { boot_vcpus: 1, max_vcpus: 1 }),
    },
    memory: {
      shared: false,
      mergeable: false,
      hugepages: false,
      hugepage_size: null,
      prefault: false,
      reserve: false,
      thp: true,
      hotplug_method: "Acpi",
      hotplug_size: null,
      hotplugged_size: null,
      zones: null,
      ...given(sent.memory ?? { size: 536_870_912 }),
    },
    payload: { firmware: null, kernel: null, cmdline: null, initramfs: null, ...given(sent.payload) },
    rate_limit_groups: sent.rate_limit_groups ?? null,
    disks: sent.disks?.map((disk) => ({ ...DISK, ...given(disk) })) ?? null,
    net: sent.net?.map((net) => ({ ...NET, ...given(net) })) ?? null,
    rng: { iommu: false, ...given(sent.rng ?? { src: "/dev/urandom" }) },
    balloon: sent.balloon ? { deflate_on_oom: false, free_page_reporting: false, ...given(sent.balloon) } : null,
    fs: sent.fs ?? null,
    pmem:
      sent.pmem?.map((pmem) => ({ size: null, iommu: false, discard_writes: false, id: null, ...given(pmem) })) ?? null,
    serial: { file: null, socket: null, ...given(sent.serial ?? { mode: "Null" }) },
    console: { file: null, socket: null, ...given(sent.console ?? { mode: "Tty" }) },
    debug_console: { file: null, iobase: 233, ...given(sent.debug_console ?? { mode: "Off" as const }) },
    vsock: sent.vsock ? { id: null, iommu: false, ...given(sent.vsock) } : null,
    iommu: sent.iommu ?? false,
    watchdog: sent.watchdog ?? false,
    pvpanic: sent.pvpanic ?? false,
    platform: sent.platform ? { num_pci_segments: 1, ...given(sent.platform) } : null,
    landlock_enable: sent.landlock_enable ?? false,
    landlock_rules: sent.landlock_rules ?? null,
  };
}

const DISK = {
  readonly: false,
  direct: false,
  iommu: false,
  num_queues: 1,
  queue_size: 128,
  image_type: "Unknown" as const,
  id: null,
  serial: null,
  backing_files: false,
  sparse: true,
  lock_granularity: "ByteRange" as const,
  rate_limit_group: null,
  rate_limiter_config: null,
  pci_segment: 0,
};

const NET = {
  tap: null,
  mtu: null,
  host_mac: null,
  ip: null,
  mask: null,
  iommu: false,
  num_queues: 2,
  queue_size: 256,
  id: null,
  offload_tso: true,
  offload_ufo: true,
  offload_csum: true,
  rate_limiter_config: null,
  pci_segment: 0,
};

/** Every device with its key for ids, in the order of the PCI slots behind the console. */
export function devicesOf(config: FullConfig): { kind: string; device: { id?: string | null } }[] {
  const list = (kind: string, devices: ({ id?: string | null } | null | undefined)[] | null | undefined) =>
    (devices ?? []).flatMap((device) => (device ? [{ kind, device }] : []));
  return [
    ...list("disk", config.disks),
    ...list("net", config.net),
    ...list("rng", [config.rng]),
    ...list("fs", config.fs),
    ...list("pmem", config.pmem),
    ...list("vsock", [config.vsock]),
    ...list("balloon", [config.balloon]),
  ];
}

/** Gives ids to devices that have none, from one running counter; those that cannot be removed have names of their own. */
export function assignIds(config: FullConfig): void {
  let next = 0;
  for (const { kind, device } of devicesOf(config)) {
    if (kind === "rng" || kind === "balloon") device.id ??= `__${kind}`;
    device.id ??= `_${kind}${next++}`;
  }
}

/** The device tree of vm.info: slot by slot on bus 0, the console first. */
export function deviceTree(config: FullConfig): Record<string, object> {
  const ids = [
    ...(config.console.mode === "Off" ? [] : ["__console"]),
    ...devicesOf(config).map(({ device }) => device.id),
  ];
  return Object.fromEntries(
    ids.map((id, at) => {
      const pci_bdf = `0000:00:${(at + 1).toString(16).padStart(2, "0")}.0`;
      return [id, { id, resources: [], parent: null, children: [], pci_bdf }];
    }),
  );
}

/** RAM in bytes, the zones' when there are any. */
export function ramBytes({ memory }: FullConfig): number {
  return memory.zones?.length ? memory.zones.reduce((sum, zone) => sum + zone.size, 0) : memory.size;
}
