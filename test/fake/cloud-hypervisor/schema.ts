/**
 * What the API takes, as far as the facts sheet tells it: name of a schema -> its fields. A type is `string`, `boolean`, `int`, a
 * list of words (an enum), another schema's name, any of these with `[]`; a trailing `!` means mandatory, and null stands for
 * absent everywhere else.
 */
export const SCHEMAS = {
  VmConfig: {
    payload: "PayloadConfig!",
    cpus: "CpusConfig",
    memory: "MemoryConfig",
    rate_limit_groups: "RateLimitGroupConfig[]",
    disks: "DiskConfig[]",
    net: "NetConfig[]",
    rng: "RngConfig",
    balloon: "BalloonConfig",
    fs: "FsConfig[]",
    pmem: "PmemConfig[]",
    serial: "SerialConfig",
    console: "ConsoleConfig",
    debug_console: "DebugConsoleConfig",
    vsock: "VsockConfig",
    iommu: "boolean",
    watchdog: "boolean",
    pvpanic: "boolean",
    platform: "PlatformConfig",
    landlock_enable: "boolean",
    landlock_rules: "LandlockConfig[]",
  },
  PayloadConfig: { firmware: "string", kernel: "string", cmdline: "string", initramfs: "string" },
  CpusConfig: {
    boot_vcpus: "int!",
    max_vcpus: "int!",
    topology: "CpuTopology",
    kvm_hyperv: "boolean",
    max_phys_bits: "int",
    nested: "boolean",
    affinity: "CpuAffinity[]",
    features: "CpuFeatures",
    core_scheduling: "Vm|Vcpu|Off",
  },
  CpuTopology: { threads_per_core: "int", cores_per_die: "int", dies_per_package: "int", packages: "int" },
  CpuAffinity: { vcpu: "int!", host_cpus: "int[]!" },
  CpuFeatures: { amx: "boolean" },
  MemoryConfig: {
    size: "int!",
    shared: "boolean",
    mergeable: "boolean",
    hugepages: "boolean",
    hugepage_size: "int",
    prefault: "boolean",
    reserve: "boolean",
    thp: "boolean",
    hotplug_method: "Acpi|VirtioMem",
    hotplug_size: "int",
    hotplugged_size: "int",
    zones: "MemoryZoneConfig[]",
  },
  MemoryZoneConfig: {
    id: "string!",
    size: "int!",
    file: "string",
    shared: "boolean",
    hugepages: "boolean",
    hugepage_size: "int",
    prefault: "boolean",
    reserve: "boolean",
    mergeable: "boolean",
    host_numa_node: "int",
    hotplug_size: "int",
    hotplugged_size: "int",
  },
  DiskConfig: {
    path: "string",
    readonly: "boolean",
    direct: "boolean",
    iommu: "boolean",
    num_queues: "int",
    queue_size: "int",
    image_type: "Raw|Qcow2|FixedVhd|Vhdx|Unknown",
    id: "string",
    serial: "string",
    backing_files: "boolean",
    sparse: "boolean",
    lock_granularity: "ByteRange|Full",
    rate_limit_group: "string",
    rate_limiter_config: "RateLimiterConfig",
    pci_segment: "int",
    pci_device_id: "int",
  },
  NetConfig: {
    tap: "string",
    mac: "string",
    mtu: "int",
    host_mac: "string",
    ip: "string",
    mask: "string",
    iommu: "boolean",
    num_queues: "int",
    queue_size: "int",
    id: "string",
    offload_tso: "boolean",
    offload_ufo: "boolean",
    offload_csum: "boolean",
    rate_limiter_config: "RateLimiterConfig",
    pci_segment: "int",
    pci_device_id: "int",
  },
  PmemConfig: {
    file: "string!",
    size: "int",
    discard_writes: "boolean",
    iommu: "boolean",
    id: "string",
    pci_segment: "int",
    pci_device_id: "int",
  },
  FsConfig: {
    tag: "string!",
    socket: "string!",
    num_queues: "int!",
    queue_size: "int!",
    id: "string",
    pci_segment: "int",
  },
  VsockConfig: {
    cid: "int!",
    socket: "string!",
    id: "string",
    iommu: "boolean",
    pci_segment: "int",
    pci_device_id: "int",
  },
  RngConfig: { src: "string!", id: "string", iommu: "boolean", pci_segment: "int", pci_device_id: "int" },
  BalloonConfig: {
    size: "int!",
    deflate_on_oom: "boolean",
    free_page_reporting: "boolean",
    id: "string",
    iommu: "boolean",
    pci_segment: "int",
    pci_device_id: "int",
  },
  SerialConfig: { mode: "Off|Pty|Tty|File|Socket|Null!", file: "string", socket: "string" },
  ConsoleConfig: {
    mode: "Off|Pty|Tty|File|Socket|Null!",
    file: "string",
    socket: "string",
    iommu: "boolean",
    id: "string",
    pci_segment: "int",
    pci_device_id: "int",
  },
  DebugConsoleConfig: { mode: "Off|Pty|Tty|File|Socket|Null!", file: "string", iobase: "int" },
  PlatformConfig: {
    num_pci_segments: "int",
    system_serial_number: "string",
    serial_number: "string",
    system_uuid: "string",
    uuid: "string",
    oem_strings: "string[]",
    system_manufacturer: "string",
    system_product_name: "string",
    system_version: "string",
    system_family: "string",
    system_sku_number: "string",
    chassis_asset_tag: "string",
  },
  LandlockConfig: { path: "string!", access: "string!" },
  RateLimitGroupConfig: { id: "string!", rate_limiter_config: "RateLimiterConfig!" },
  RateLimiterConfig: { bandwidth: "TokenBucket", ops: "TokenBucket" },
  TokenBucket: { size: "int!", refill_time: "int!", one_time_burst: "int" },
  VmResize: { desired_vcpus: "int", desired_ram: "int", desired_balloon: "int" },
  VmResizeDisk: { id: "string", desired_size: "int" },
  VmResizeZone: { id: "string", desired_ram: "int" },
  VmRemoveDevice: { id: "string" },
  VmSnapshotConfig: { destination_url: "string" },
  RestoreConfig: {
    source_url: "string!",
    prefault: "boolean",
    resume: "boolean",
    memory_restore_mode: "Copy|OnDemand",
  },
} as const satisfies Record<string, Record<string, string>>;

type Schemas = typeof SCHEMAS;
type Plain<Type extends string> = Type extends `${infer Of}[]`
  ? Plain<Of>[]
  : Type extends "string"
    ? string
    : Type extends "boolean"
      ? boolean
      : Type extends "int"
        ? number
        : Type extends keyof Schemas
          ? Shape<Type>
          : Type extends `${infer One}|${infer Rest}`
            ? One | Plain<Rest>
            : Type;
type Shape<Name extends keyof Schemas> = {
  -readonly [
    Field in keyof Schemas[Name] as Schemas[Name][Field] extends `${string}!` ? Field : never
  ]: Schemas[Name][Field] extends `${infer Type}!` ? Plain<Type> : never;
} & {
  -readonly [Field in keyof Schemas[Name] as Schemas[Name][Field] extends `${string}!` ? never : Field]?: Plain<
    Schemas[Name][Field] & string
  > | null;
};

export type VmConfig = Shape<"VmConfig">;
export type DiskConfig = Shape<"DiskConfig">;
export type NetConfig = Shape<"NetConfig">;
export type VmResize = Shape<"VmResize">;
export type RestoreConfig = Shape<"RestoreConfig">;
