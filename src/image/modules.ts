import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { HypeError } from "../contract/index.ts";
import { readModuleInfo } from "./module-info.ts";
import { recipeLines } from "./recipe.ts";

/** A kernel module as the guest's modprobe must know it. Names are written with `_`, as the kernel does. */
export type KernelModule = { name: string; depends: string[]; aliases: string[]; data: Uint8Array };

/** One line of images/modules.txt. */
export type WantedModule = { name: string; use: "always" | "device" };

/** @throws HypeError image_build_failed for a line it cannot read. */
export function parseWanted(text: string): WantedModule[] {
  return recipeLines(text).map(([name = "", use = ""]) => {
    if (use !== "always" && use !== "device")
      throw new HypeError(
        "image_build_failed",
        `modules.txt: ${name} needs the use "always" or "device", not "${use}"`,
      );
    return { name, use };
  });
}

/**
 * Finds the wanted modules and all they depend on below `directory`, dependencies first.
 * Modules built into the kernel are left out. @throws HypeError image_build_failed when one is nowhere.
 */
export function collectModules(directory: string, wanted: readonly string[]): KernelModule[] {
  const files = new Map<string, string>();
  for (const path of new Bun.Glob("kernel/**/*.ko").scanSync(directory))
    files.set(moduleName(path), join(directory, path));
  const builtin = new Set(
    readFileSync(join(directory, "modules.builtin"), "utf8")
      .split("\n")
      .map((line) => moduleName(line)),
  );
  return inDependencyOrder(wanted, (name) => {
    const path = files.get(name);
    if (path) {
      const data = readFileSync(path);
      return { name, data, ...readModuleInfo(data) };
    }
    if (builtin.has(name)) return null;
    throw new HypeError("image_build_failed", `the kernel has no module ${name}`, { module: name });
  });
}

const moduleName = (path: string): string => basename(path, ".ko").replaceAll("-", "_");

/** @param find gives a module by name, null when it is built in. @throws HypeError image_build_failed on a cycle. */
export function inDependencyOrder<M extends { depends: string[] }>(
  wanted: readonly string[],
  find: (name: string) => M | null,
): M[] {
  const ordered: M[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (name: string) => {
    if (state.get(name) === "done") return;
    if (state.get(name) === "open")
      throw new HypeError("image_build_failed", `kernel modules depend on each other in a circle at ${name}`);
    state.set(name, "open");
    const module = find(name);
    module?.depends.forEach(visit);
    if (module) ordered.push(module);
    state.set(name, "done");
  };
  wanted.forEach(visit);
  return ordered;
}

/** Where a module lies below /lib/modules/VERSION. */
export const modulePath = (name: string): string => `${name}.ko`;

/** `modules.dep` as modprobe reads it: each module with everything it needs, nearest first. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  return modules
    .map(({ name, depends }) => {
      const needed = inDependencyOrder(depends, (dependency) => byName.get(dependency) ?? null).reverse();
      return `${modulePath(name)}:${needed.map((module) => ` ${modulePath(module.name)}`).join("")}\n`;
    })
    .join("");
}

/** `modules.alias`: which device wants which module. */
export const modulesAlias = (modules: readonly KernelModule[]): string =>
  modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join("");
