import { devicesOf, type FullConfig, ramBytes } from "./config.ts";

const PMEM_UNIT_BYTES = 2 * 1_048_576;
const SERIAL_LIMIT_BYTES = 20;
const VSOCK_RESERVED = new Set([0, 1, 2, 2 ** 32 - 1]);

/** What vm.boot finds wrong with a config before it touches anything. @returns the fault, or null. */
export function configFault(config: FullConfig): string | null {
  return faults(config).next().value ?? null;
}

function* faults(config: FullConfig): Generator<string, undefined> {
  const { payload, cpus, memory } = config;
  if (!payload.kernel && !payload.firmware) yield "No kernel or firmware specified";
  if (payload.kernel && payload.firmware) yield "Specified both a kernel and a firmware";
  if (cpus.boot_vcpus < 1 || cpus.max_vcpus < cpus.boot_vcpus) yield "Max vCPUs is less than boot vCPUs";
  const { topology } = cpus;
  if (topology) {
    const { threads_per_core = 0, cores_per_die = 0, dies_per_package = 0, packages = 0 } = topology;
    const product = (threads_per_core ?? 0) * (cores_per_die ?? 0) * (dies_per_package ?? 0) * (packages ?? 0);
    if (product !== cpus.max_vcpus) yield "Product of CPU topology parts does not match maximum vCPUs";
  }
  if (memory.zones?.length && memory.size !== 0) yield "Memory size must be 0 when memory zones are given";
  if (ramBytes(config) === 0) yield "Memory size is 0";
  if (memory.shared && memory.mergeable) yield "Memory cannot be shared and mergeable";
  if (config.fs?.length && !memory.shared && !memory.hugepages)
    yield "Using vhost-user requires using shared memory or huge pages";
  for (const [name, mode, file, socket] of [
    ["serial", config.serial.mode, config.serial.file, config.serial.socket],
    ["console", config.console.mode, config.console.file, null],
  ] as const) {
    if (mode === "File" && !file) yield `Path missing when using file ${name} mode`;
    if (name === "serial" && mode === "Socket" && !socket) yield "Path missing when using socket serial mode";
  }
  yield* diskFaults(config);
  yield* netFaults(config);
  for (const pmem of config.pmem ?? [])
    if (pmem.size && pmem.size % PMEM_UNIT_BYTES !== 0) yield `pmem size ${pmem.size} is not a multiple of 2 MiB`;
  if (config.vsock && VSOCK_RESERVED.has(config.vsock.cid)) yield `Invalid vsock cid ${config.vsock.cid}`;
  if (config.balloon && config.balloon.size >= ramBytes(config)) yield "Ballon too big";
  const uuid = config.platform?.system_uuid ?? config.platform?.uuid;
  if (uuid && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) yield `Invalid uuid ${uuid}`;
  const devices = devicesOf(config).filter(({ kind, device }) => device.id && device.id !== `__${kind}`);
  const ids = devices.map(({ device }) => device.id ?? "");
  for (const [at, id] of ids.entries()) {
    if (id.startsWith("__")) yield `Identifier ${id} is invalid: it starts with "__"`;
    if (ids.indexOf(id) !== at) yield `Identifier ${id} is not unique`;
  }
}

function* diskFaults({ disks, cpus }: FullConfig): Generator<string, undefined> {
  for (const disk of disks ?? []) {
    const { num_queues, queue_size, serial } = disk;
    if (!disk.path) yield "Disk path is missing";
    if ((num_queues ?? 1) > cpus.boot_vcpus) yield "Number of queues exceeds number of vCPUs";
    if (!isPowerOfTwo(queue_size ?? 128) || (queue_size ?? 128) <= 2) yield `Invalid queue size ${queue_size}`;
    if (serial && Buffer.byteLength(serial) > SERIAL_LIMIT_BYTES) yield `Disk serial ${serial} is longer than 20 bytes`;
  }
}

function* netFaults({ net, cpus }: FullConfig): Generator<string, undefined> {
  for (const { num_queues, queue_size, mtu, ip, mask, mac } of net ?? []) {
    const queues = num_queues ?? 2;
    if (queues < 2 || queues % 2 !== 0) yield `Number of queues to virtio_net less than 2 or odd: ${queues}`;
    if (queues / 2 > cpus.boot_vcpus) yield "Number of queue pairs exceeds number of vCPUs";
    if (!isPowerOfTwo(queue_size ?? 256)) yield `Invalid queue size ${queue_size}`;
    if (mtu && mtu < 1280) yield `Invalid MTU ${mtu}`;
    if (Boolean(ip) !== Boolean(mask)) yield "ip and mask must both be given, or neither";
    if (mac && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) yield `Invalid MAC address ${mac}`;
  }
}

const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;
