import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { HypeError } from "../../../src/contract/index.ts";
import { VmConfig, vmConfig, withLandlock } from "../../../src/hypervisor/cloud-hypervisor/config.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";
import { machineSpec, TOKEN } from "./spec.ts";

const schemaFile = join(import.meta.dir, "../../../../shared/reference/cloud-hypervisor.openapi.yaml");

test("what is sent for a VM, to the last field", async () => {
  using directory = temporaryDirectory();
  const spec = await machineSpec(directory.path, { cpuCores: 2, memoryMb: 512, rootfs: "/images/root.erofs" });
  expect(vmConfig(spec)).toEqual({
    payload: { kernel: spec.kernel, initramfs: spec.initramfs, cmdline: "console=ttyS0 quiet panic=-1" },
    cpus: { boot_vcpus: 2, max_vcpus: 2, nested: false },
    memory: { size: 536_870_912 },
    disks: [{ id: "root", path: "/images/root.erofs", readonly: true, image_type: "Raw", serial: "root" }],
    net: [{ id: "net0", tap: "tap0", mac: "02:68:79:70:65:01", num_queues: 2 }],
    rng: { src: "/dev/urandom" },
    serial: { mode: "Tty" },
    console: { mode: "Off" },
    pvpanic: true,
    platform: { oem_strings: [`overhyped.token=${TOKEN}`] },
    landlock_enable: false,
  });
});

test("a bundle image has no disk", async () => {
  using directory = temporaryDirectory();
  expect(vmConfig(await machineSpec(directory.path)).disks).toEqual([]);
});

test("files are named as the jail can reach them", async () => {
  using directory = temporaryDirectory();
  const spec = await machineSpec(directory.path, { rootfs: "/images/root.erofs" });
  const asked: string[] = [];
  const reach = (file: string, mode: string) => `/proc/self/fd/${4 + asked.push(`${mode} ${file}`)}`;
  const config = vmConfig({ ...spec, jail: { ...spec.jail, reach } });
  expect(asked).toEqual([`read ${spec.kernel}`, `read ${spec.initramfs}`, "read /images/root.erofs"]);
  expect([config.payload.kernel, config.payload.initramfs, config.disks[0]?.path]).toEqual([
    "/proc/self/fd/5",
    "/proc/self/fd/6",
    "/proc/self/fd/7",
  ]);
});

test.each([
  [true, [".", "/sys/devices/virtual/net/tap0"]],
  [false, ["."]],
])("Landlock's rules name the tap only where the VMM sees it: %p", async (seen, expected) => {
  using directory = temporaryDirectory();
  const config = withLandlock(vmConfig(await machineSpec(directory.path)), seen);
  expect(config.landlock_enable).toBe(true);
  expect(config.landlock_rules?.map(({ path }) => path)).toEqual(expected);
  expect(v.is(VmConfig, config)).toBe(true);
});

test("the user network is refused with the way out", async () => {
  using directory = temporaryDirectory();
  const spec = await machineSpec(directory.path, {
    nic: { kind: "passt", socket: "net.sock", mac: "02:00:00:00:00:01" },
  });
  expect(() => vmConfig(spec)).toThrow(
    expect.objectContaining({ code: "hypervisor_unavailable", message: expect.stringContaining("hype setup") }),
  );
});

test("a configuration that the program would not read is refused before it is started", async () => {
  using directory = temporaryDirectory();
  const spec = await machineSpec(directory.path, { cmdline: "x".repeat(60_000) });
  expect(() => vmConfig(spec)).toThrow(HypeError);
  expect(() => vmConfig(spec)).toThrow("51200");
});

test.each([
  ["an unknown field", { watchdgo: true }],
  [
    "a network address, which needs a capability",
    { net: [{ id: "net0", tap: "tap0", mac: "x", num_queues: 2, mtu: 1500 }] },
  ],
  [
    "a disk whose format is sniffed",
    { disks: [{ id: "root", path: "/d", readonly: true, image_type: "Unknown", serial: "root" }] },
  ],
  ["an id of Cloud Hypervisor's own", { net: [{ id: "__net", tap: "tap0", mac: "x", num_queues: 2 }] }],
])("the schema lets no other configuration pass: %s", async (_name, change) => {
  using directory = temporaryDirectory();
  expect(v.is(VmConfig, { ...vmConfig(await machineSpec(directory.path)), ...change })).toBe(false);
});

test.if(existsSync(schemaFile))("every field we send stands in Cloud Hypervisor's own API description", async () => {
  type Property = { $ref?: string; items?: { $ref?: string }; enum?: unknown[] };
  type Schema = { properties?: Record<string, Property>; enum?: unknown[] };
  const { components } = Bun.YAML.parse(await Bun.file(schemaFile).text()) as {
    components: { schemas: Record<string, Schema> };
  };
  const strangers: string[] = [];
  const compare = (value: unknown, name: string | undefined, path: string): void => {
    const schema = name === undefined ? undefined : components.schemas[name.split("/").at(-1)!];
    if (schema?.enum && !schema.enum.includes(value)) strangers.push(`${path}: ${String(value)}`);
    if (Array.isArray(value) || typeof value !== "object" || value === null) return;
    for (const [field, inner] of Object.entries(value)) {
      const property = schema?.properties?.[field];
      if (!property) strangers.push(`${path}.${field}`);
      else if (Array.isArray(inner)) for (const item of inner) compare(item, property.items?.$ref, `${path}.${field}`);
      else compare(inner, property.$ref, `${path}.${field}`);
    }
  };
  using directory = temporaryDirectory();
  const config = withLandlock(vmConfig(await machineSpec(directory.path, { rootfs: "/d" })), true);
  compare(config, "VmConfig", "VmConfig");
  expect(strangers).toEqual([]);
  compare({ ...config, watchdgo: true }, "VmConfig", "VmConfig");
  expect(strangers).toEqual(["VmConfig.watchdgo"]);
});
