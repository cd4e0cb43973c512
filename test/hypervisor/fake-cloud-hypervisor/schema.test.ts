import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkSchema } from "../../fake/cloud-hypervisor/check-schema.ts";
import { SCHEMAS } from "../../fake/cloud-hypervisor/schema.ts";
import { MINIMAL, TestVmm } from "./vmm.ts";

/** Cloud Hypervisor's own description of its API, where it lies beside the checkout. */
const PUBLISHED = join(import.meta.dir, "../../../../shared/reference/cloud-hypervisor.openapi.yaml");

const config = (more: object): object => ({ ...MINIMAL, ...more });

describe("what is sent is compared with the schema to the last field", () => {
  test.each([
    [config({ disk: [] }), "unknown", "VmConfig.disk"],
    [{ payload: { kernel: "k", comandline: "x" } }, "unknown", "VmConfig.payload.comandline"],
    [config({ disks: [{ path: "p", read_only: true }] }), "unknown", "VmConfig.disks[0].read_only"],
    [config({ net: [{ tap: "t", macaddr: "x" }] }), "unknown", "VmConfig.net[0].macaddr"],
    [{}, "wrong", "payload"],
    [config({ cpus: { boot_vcpus: 1 } }), "wrong", "max_vcpus"],
    [config({ cpus: { boot_vcpus: "1", max_vcpus: 1 } }), "wrong", "boot_vcpus"],
    [config({ cpus: { boot_vcpus: null, max_vcpus: 1 } }), "wrong", "boot_vcpus"],
    [config({ memory: { size: 1.5 } }), "wrong", "memory.size"],
    [config({ memory: { size: -1 } }), "wrong", "memory.size"],
    [config({ memory: { size: "1G" } }), "wrong", "memory.size"],
    [config({ serial: { mode: "file" } }), "wrong", "serial.mode"],
    [config({ disks: [{ image_type: "raw" }] }), "wrong", "image_type"],
    [config({ disks: {} }), "wrong", "sequence"],
    [config({ pvpanic: 1 }), "wrong", "pvpanic"],
    [config({ platform: { oem_strings: [1] } }), "wrong", "oem_strings[0]"],
    [[], "wrong", "VmConfig"],
  ] as [object, "unknown" | "wrong", string][])("%j: %s, %s", (body, kind, words) => {
    const faults = checkSchema("VmConfig", body);
    expect(faults[kind].join()).toContain(words);
    expect(faults[kind === "unknown" ? "wrong" : "unknown"]).toEqual([]);
  });

  test("null stands for absent where a field may be", () => {
    expect(checkSchema("VmConfig", config({ disks: null, net: [{ tap: null }] }))).toEqual({ unknown: [], wrong: [] });
  });

  test("a field the original would ignore is a violation that a test finds, and 500", async () => {
    await using vmm = await TestVmm.ready();
    const { status, chain } = await vmm.put("vm.create", config({ typo: 1 }));
    expect(status).toBe(500);
    expect(chain?.[1]).toContain("VmConfig.typo");
    expect(vmm.program.violations()).toEqual([
      { pid: vmm.pid, call: "vm.create", what: "unknown field `VmConfig.typo`" },
    ]);
    expect((await vmm.get("vm.info")).status).toBe(404);
  });

  test("a wrong type is what the original says to it, and a violation; so is a body where none belongs", async () => {
    await using vmm = await TestVmm.ready();
    expect(await vmm.put("vm.create", { payload: [] })).toMatchObject({ status: 400 });
    expect(await vmm.put("vm.boot", {})).toMatchObject({ status: 400 });
    expect(vmm.program.violations()).toHaveLength(2);
  });

  test("what the stand-in cannot do is no refusal of the original's: a violation", async () => {
    await using vmm = await TestVmm.ready();
    expect((await vmm.put("vm.snapshot", { destination_url: "file:///x" })).status).toBe(500);
    expect(vmm.program.violations()[0]?.call).toBe("vm.snapshot");
  });
});

test.skipIf(!existsSync(PUBLISHED))("our copy of the schema is a part of the published one", () => {
  type Published = {
    properties?: Record<
      string,
      { type?: string; enum?: string[]; $ref?: string; items?: { $ref?: string; type?: string } }
    >;
    required?: string[];
    enum?: string[];
  };
  const { components } = Bun.YAML.parse(readFileSync(PUBLISHED, "utf8")) as {
    components: { schemas: Record<string, Published> };
  };
  const named = (ref?: string) => ref?.split("/").at(-1) ?? "";
  const typeOf = (field: NonNullable<Published["properties"]>[string]): string => {
    if (field.items) return `${field.items.$ref ? named(field.items.$ref) : plain(field.items.type)}[]`;
    const target = components.schemas[named(field.$ref)];
    return target?.enum ? target.enum.toSorted().join("|") : field.$ref ? named(field.$ref) : plain(field.type);
  };
  const plain = (type?: string) => (type === "integer" ? "int" : (type ?? ""));
  const differences: string[] = [];
  for (const [name, fields] of Object.entries(SCHEMAS)) {
    const published = components.schemas[name];
    if (!published) differences.push(`${name} is not published`);
    for (const [field, type] of Object.entries(fields as Record<string, string>)) {
      const theirs = published?.properties?.[field];
      const ours = type.replace(/!$/, "");
      const sorted = ours.includes("|") ? ours.split("|").toSorted().join("|") : ours;
      if (!theirs) differences.push(`${name}.${field} is not published`);
      // Here the published type is but "string".
      else if (`${name}.${field}` !== "MemoryConfig.hotplug_method" && typeOf(theirs) !== sorted)
        differences.push(`${name}.${field}: ${sorted} here, ${typeOf(theirs)} there`);
      if (type.endsWith("!") !== (published?.required?.includes(field) ?? false))
        differences.push(`${name}.${field}: mandatory on one side only`);
    }
  }
  expect(differences).toEqual([]);
});
