import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { HypeError } from "../../src/contract/index.ts";
import { readModuleInfo } from "../../src/image/module-info.ts";
import { collectModules, inDependencyOrder, modulesAlias, modulesDep, parseWanted } from "../../src/image/modules.ts";
import { RECIPE } from "../../src/image/recipe.ts";
import { elfWithModuleInfo } from "./elf.ts";

const scratch = mkdtempSync(join(tmpdir(), "hype-modules-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A kernel's module directory: name of file -> what its .modinfo says. */
function kernel(name: string, files: Record<string, string[]>, builtin: string[] = []): string {
  const directory = join(scratch, name);
  mkdirSync(directory);
  for (const [path, info] of Object.entries(files)) {
    const file = join(directory, "kernel", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, elfWithModuleInfo(info));
  }
  writeFileSync(join(directory, "modules.builtin"), builtin.map((path) => `kernel/${path}\n`).join(""));
  return directory;
}

const codeOf = (action: () => unknown): string | null => {
  try {
    action();
    return null;
  } catch (thrown) {
    return thrown instanceof HypeError ? thrown.code : "not a HypeError";
  }
};

describe("kernel modules", () => {
  test("what a module says of itself", () => {
    const info = readModuleInfo(
      elfWithModuleInfo(["license=GPL", "alias=virtio:d00000002v*", "alias=b", "depends=virtio,virtio-ring"]),
    );
    expect(info).toEqual({ depends: ["virtio", "virtio_ring"], aliases: ["virtio:d00000002v*", "b"] });
    expect(readModuleInfo(elfWithModuleInfo(["depends="]))).toEqual({ depends: [], aliases: [] });
  });

  test.each([
    ["an empty file", Buffer.alloc(0)],
    ["a compressed module", Buffer.from("\xfd7zXZ".padEnd(100, "x"), "latin1")],
  ])("%s is refused", (_, bytes) => {
    expect(codeOf(() => readModuleInfo(bytes))).toBe("image_build_failed");
  });

  test("wanted modules come with what they need, which comes first; built-in ones are left out", () => {
    const directory = kernel(
      "plain",
      {
        "drivers/net/virtio_net.ko": ["depends=virtio-ring,failover", "alias=virtio:d00000001v*"],
        "drivers/virtio/virtio_ring.ko": ["depends=virtio"],
        "drivers/virtio/virtio.ko": ["depends="],
        "net/failover.ko": ["depends="],
        "drivers/other.ko": ["depends="],
      },
      ["drivers/virtio/anchor.ko"],
    );
    const modules = collectModules(directory, ["virtio_net", "anchor"]);
    expect(modules.map(({ name }) => name)).toEqual(["virtio", "virtio_ring", "failover", "virtio_net"]);
    expect(modulesDep(modules)).toBe(
      "virtio.ko:\nvirtio_ring.ko: virtio.ko\nfailover.ko:\nvirtio_net.ko: failover.ko virtio_ring.ko virtio.ko\n",
    );
    expect(modulesAlias(modules)).toBe("alias virtio:d00000001v* virtio_net\n");
  });

  test("a module that is nowhere, and a circle, are named", () => {
    expect(codeOf(() => collectModules(kernel("none", {}), ["nowhere"]))).toBe("image_build_failed");
    const circle = kernel("circle", { "a.ko": ["depends=b"], "b.ko": ["depends=a"] });
    expect(codeOf(() => collectModules(circle, ["a"]))).toBe("image_build_failed");
  });

  test("in any graph without circles, each module stands after all it depends on, once", () => {
    // Module n may depend on lower numbers only: no circles.
    const graph = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(graph, (lists) => {
        const depends = lists.map((list, index) => list.filter((other) => other < index).map(String));
        const names = depends.map((_, index) => String(index)).reverse();
        const ordered = inDependencyOrder(names, (name) => ({ name, depends: depends[Number(name)]! }));
        expect(new Set(ordered.map(({ name }) => name)).size).toBe(lists.length);
        const place = new Map(ordered.map(({ name }, index) => [name, index]));
        for (const module of ordered)
          for (const needed of module.depends) expect(place.get(needed)!).toBeLessThan(place.get(module.name)!);
      }),
    );
  });

  test("the recipe's list can be read, and a line without a use cannot", () => {
    expect(parseWanted(RECIPE["modules.txt"])).toContainEqual({ name: "erofs", use: "always" });
    expect(codeOf(() => parseWanted("erofs\n"))).toBe("image_build_failed");
  });
});
