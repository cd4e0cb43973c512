import { createHash, randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Config } from "../config/load.ts";
import { HypeError, type ImageFormat, type ImageManifest } from "../contract/index.ts";
import { VERSION } from "../contract/version.ts";
import { ensurePrivateDir, fileError } from "../host/files.ts";
import { run } from "../host/run.ts";
import { lockExclusively } from "../host/exclusive-lock.ts";
import type { Log } from "../log/log.ts";
import { makeAgentDisk } from "./agent-disk.ts";
import { initramfsParts, writeInitramfs } from "./initramfs.ts";
import { RECIPE } from "./recipe.ts";
import { makeRootTree, openRootTree, ROOT_TREES, rootTreeDirectory, type RootTree } from "./root-tree.ts";
import { chooseSource, type Source } from "./source/source.ts";
import { sha256Of } from "./sha256.ts";
import { IMAGE_FILES, readDefault, readManifest, writeDefault } from "./store.ts";
import { contained, needTools } from "./tools.ts";

export type BuildOptions = {
  config: Pick<Config, "imageDir" | "aptMirrors">;
  log: Log;
  format: ImageFormat;
  /** The compiled agent: a path Bun.file can read. */
  agentBinary: string;
  source?: Source | "auto";
  /** Make everything anew, packages included: gets Debian's newest. */
  force?: boolean;
  /** Leave the default image as it is (if there is one). */
  keepDefault?: boolean;
  signal?: AbortSignal;
  onProgress?: (step: string, text: string) => void;
};

/**
 * Builds an image, or finds it built already, and makes it the default. The image appears in the image directory when it is
 * complete; on any failure nothing of it is left.
 * @throws HypeError tool_missing | image_build_failed | disk_full | state_unwritable | cancelled
 */
export async function buildImage(options: BuildOptions): Promise<ImageManifest> {
  const { config, signal, force = false } = options;
  const source = chooseSource(options.source ?? "auto");
  needTools("mkfs.erofs", "mksquashfs", "tar");
  if (!existsSync(options.agentBinary))
    throw new HypeError("image_build_failed", `the agent's program ${options.agentBinary} is not there`);
  ensurePrivateDir(config.imageDir);
  ensurePrivateDir(join(config.imageDir, ROOT_TREES));
  using _lock = lockBuild(config.imageDir);
  await removeLeftovers(config.imageDir);

  const scratch = join(config.imageDir, `${SCRATCH}${randomUUID()}`);
  mkdirSync(scratch, { mode: 0o700 });
  try {
    const tree = await rootTree(options, source, scratch);
    const manifest = await assemble(options, source, tree, scratch, force);
    if (!options.keepDefault || readDefault(config.imageDir) === null) writeDefault(config.imageDir, manifest.id);
    return manifest;
  } catch (thrown) {
    if (signal?.aborted) throw new HypeError("cancelled", "the image build was cancelled", {}, { cause: thrown });
    throw fileError(thrown, config.imageDir);
  } finally {
    await removeScratch(scratch);
  }
}

const SCRATCH = ".build-";

function lockBuild(imageDir: string): Disposable {
  try {
    return lockExclusively(join(imageDir, ".build.lock"));
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code === "state_locked")
      throw new HypeError(
        "image_build_failed",
        `another build runs in ${imageDir}: wait for it`,
        {},
        { cause: thrown },
      );
    throw thrown;
  }
}

/** What a killed build left; the lock says that none is running. */
async function removeLeftovers(imageDir: string): Promise<void> {
  for (const name of readdirSync(imageDir)) if (name.startsWith(SCRATCH)) await removeScratch(join(imageDir, name));
}

async function removeScratch(path: string): Promise<void> {
  // Without root, some files belong to subordinate ids: only their namespace may remove them.
  if (process.getuid?.() !== 0) await run(contained(["rm", "-rf", path]), { timeoutMs: 300_000 });
  rmSync(path, { recursive: true, force: true });
}

async function rootTree(options: BuildOptions, source: Source, scratch: string): Promise<RootTree> {
  const { config, force, signal, log, onProgress = () => {} } = options;
  const target = rootTreeDirectory(config.imageDir, source, config.aptMirrors);
  const found = force ? null : openRootTree(target);
  if (found) {
    onProgress("packages", "root file system taken from the cache");
    return found;
  }
  const startedAt = performance.now();
  const tree = await makeRootTree({ source, aptMirrors: config.aptMirrors, scratch, target, signal, onProgress });
  // One tree per source is kept: an older recipe's serves nobody any more.
  for (const name of readdirSync(dirname(target)))
    if (name.startsWith(`${source}-`) && name !== basename(target))
      rmSync(join(dirname(target), name), { recursive: true });
  log.info("root tree made", { source, seconds: Math.round((performance.now() - startedAt) / 1000) });
  return tree;
}

async function assemble(
  { config, format, agentBinary, signal, log, onProgress = () => {} }: BuildOptions,
  source: Source,
  tree: RootTree,
  scratch: string,
  force: boolean,
): Promise<ImageManifest> {
  const inputs = {
    init: RECIPE["init.sh"],
    modules: RECIPE["modules.txt"],
    format,
    source,
    version: VERSION,
    agent: await sha256Of(agentBinary),
    rootfs: await sha256Of(tree.rootfs),
    kernel: await sha256Of(tree.kernel),
  };
  const id = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
  const target = join(config.imageDir, id);
  if (!force && existsSync(join(target, IMAGE_FILES.manifest))) {
    onProgress("done", `image ${id} is there already`);
    return readManifest(target);
  }

  onProgress("agent", "compressing the agent");
  const agentDisk = await makeAgentDisk(agentBinary, scratch, signal);
  onProgress("initramfs", "writing the initramfs");
  const image = join(scratch, "image");
  mkdirSync(image);
  copyFileSync(tree.kernel, join(image, IMAGE_FILES.kernel));
  if (format === "layered") copyFileSync(tree.rootfs, join(image, IMAGE_FILES.rootfs));
  const parts = initramfsParts(tree, agentDisk, format === "bundle" ? tree.rootfs : null);
  writeInitramfs(join(image, IMAGE_FILES.initramfs), parts);
  const manifest = await describe(image, { id, format, source, tree });
  signal?.throwIfAborted();
  rmSync(target, { recursive: true, force: true });
  renameSync(image, target);
  log.info("image built", { id, format, source, bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0) });
  onProgress("done", `image ${id} is built`);
  return manifest;
}

async function describe(
  image: string,
  { id, format, source, tree }: { id: string; format: ImageFormat; source: Source; tree: RootTree },
): Promise<ImageManifest> {
  const files = readdirSync(image)
    .sort()
    .map(async (name) => {
      const path = join(image, name);
      return { name, bytes: Bun.file(path).size, sha256: await sha256Of(path) };
    });
  const manifest: ImageManifest = {
    schema: 1,
    id,
    format,
    source,
    architecture: "amd64",
    agent_version: VERSION,
    ...tree.facts,
    files: await Promise.all(files),
  };
  writeFileSync(join(image, IMAGE_FILES.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
