import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { collectModules, modulePath, modulesAlias, modulesDep, parseWanted } from "./modules.ts";
import { aptSources, RECIPE, SOURCE_DATE_EPOCH, SUITE, writeRecipe } from "./recipe.ts";
import { makeTree, type Source } from "./source/source.ts";
import { contained, needTools, runStep } from "./tools.ts";

/** What a build keeps of a root tree, so that another agent or format does not make it anew. */
export type RootTree = {
  directory: string;
  /** Compressed read-only root. */
  rootfs: string;
  kernel: string;
  busybox: string;
  /** The initramfs's kernel modules with modules.dep and modules.alias. */
  modules: string;
  facts: v.InferOutput<typeof Facts>;
};

const Facts = v.object({
  kernel_version: v.string(),
  chromium_version: v.string(),
  created_at: v.string(),
  packages: v.record(v.string(), v.string()),
});

/** Fixed, so that the same files make the same bytes. */
const ROOT_UUID = "6f766572-6879-4065-9d00-726f6f746673";

/** Bytes that are compressed together: larger is smaller on disk, but each first touch of a page unpacks as much. */
const CLUSTER_BYTES = 65_536;

/** Below the image directory: one root tree per source. */
export const ROOT_TREES = ".cache";

/** Where the root tree made from this recipe is kept; everything that goes into it but the packages' versions is in the name. */
export function rootTreeDirectory(imageDir: string, source: Source, aptMirrors: readonly string[]): string {
  const { "init.sh": _, ...files } = RECIPE;
  const inputs = { files, aptSources: aptSources(aptMirrors), SUITE, SOURCE_DATE_EPOCH, ROOT_UUID, CLUSTER_BYTES };
  const key = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
  return join(imageDir, ROOT_TREES, `${source}-${key}`);
}

/** A tree made earlier, or null. */
export function openRootTree(directory: string): RootTree | null {
  const factsFile = join(directory, "facts.json");
  if (!existsSync(factsFile)) return null;
  const facts = v.safeParse(Facts, JSON.parse(readFileSync(factsFile, "utf8")));
  if (!facts.success) return null;
  const file = (name: string) => join(directory, name);
  return {
    directory,
    rootfs: file("rootfs.erofs"),
    kernel: file("vmlinuz"),
    busybox: file("busybox"),
    modules: file("modules"),
    facts: facts.output,
  };
}

export type RootTreeJob = {
  source: Source;
  aptMirrors: readonly string[];
  /** Scratch space on the file system of `target`; the caller throws it away. */
  scratch: string;
  /** Directory to make; it appears when everything in it is complete. */
  target: string;
  signal?: AbortSignal | undefined;
  onProgress: (step: string, text: string) => void;
};

/** Makes the guest's files, compresses the root and picks what the initramfs needs. @throws HypeError as {@link runStep} and {@link makeTree} */
export async function makeRootTree(job: RootTreeJob): Promise<RootTree> {
  needTools("mkfs.erofs", "tar");
  const [recipe, tar, tree, result] = ["recipe", "tree.tar", "tree", "result"].map((name) =>
    join(job.scratch, name),
  ) as [string, string, string, string];
  writeRecipe(recipe);
  job.onProgress("packages", `installing Debian packages (${job.source})`);
  const onText = (text: string) => job.onProgress("packages", text);
  await makeTree(job.source, {
    directory: job.scratch,
    recipe,
    tar,
    aptMirrors: job.aptMirrors,
    signal: job.signal,
    onText,
  });

  job.onProgress("rootfs", "compressing the root file system");
  mkdirSync(tree);
  mkdirSync(result);
  const options = job.signal ? { signal: job.signal } : {};
  await packRoot(tar, tree, join(result, "rootfs.erofs"), options);

  copyFileSync(join(tree, "boot/vmlinuz"), join(result, "vmlinuz"));
  copyFileSync(join(tree, "root/usr/bin/busybox"), join(result, "busybox"));
  writeModules(join(tree, "boot/modules"), join(result, "modules"));
  writeFileSync(join(result, "facts.json"), JSON.stringify(readFacts(tree), null, 2));
  rmSync(job.target, { recursive: true, force: true });
  renameSync(result, job.target);
  return openRootTree(job.target)!;
}

/**
 * Unpacks a tar file into a directory and makes a read-only file system of what is in its `root/`. Same files, same bytes.
 * Labels and capabilities are left out (`-x-1`): nothing in a guest carries more rights than its user has.
 */
export async function packRoot(
  tar: string,
  tree: string,
  rootfs: string,
  options: { signal?: AbortSignal },
): Promise<void> {
  const script = [
    `tar -C "$1" --numeric-owner -xpf "$2"`,
    `mkfs.erofs --quiet -zlz4hc,12 -C${CLUSTER_BYTES} -T${SOURCE_DATE_EPOCH} -U ${ROOT_UUID} -x-1 "$3" "$1/root"`,
  ].join(" && ");
  await runStep(contained(["sh", "-c", script, "mkfs.erofs", tree, tar, rootfs]), options);
}

function writeModules(from: string, to: string): void {
  const wanted = parseWanted(RECIPE["modules.txt"]);
  const modules = collectModules(
    from,
    wanted.map(({ name }) => name),
  );
  mkdirSync(to);
  for (const module of modules) writeFileSync(join(to, modulePath(module.name)), module.data);
  writeFileSync(join(to, "modules.dep"), modulesDep(modules));
  writeFileSync(join(to, "modules.alias"), modulesAlias(modules));
}

function readFacts(tree: string): v.InferOutput<typeof Facts> {
  const text = (name: string) => readFileSync(join(tree, name), "utf8").trim();
  const packages = Object.fromEntries(
    text("packages")
      .split("\n")
      .map((line) => line.split(" ") as [string, string]),
  );
  return {
    kernel_version: text("boot/version"),
    chromium_version: (packages["chromium-headless-shell"] ?? "unknown").replace(/-[^-]*$/, ""),
    created_at: new Date(Number(text("created")) * 1000).toISOString(),
    packages,
  };
}
