import { randomUUID } from "node:crypto";
import { HypeError } from "../../contract/index.ts";
import { run } from "../../host/run.ts";
import { aptSources, SOURCE_DATE_EPOCH, SUITE } from "../recipe.ts";
import { needTools, runStep } from "../tools.ts";
import { bareDebian, bareDebianTar } from "./mmdebstrap.ts";
import type { SourceJob } from "./source.ts";

export type ContainerTool = "docker" | "podman" | "buildah";

/** Debian's own image, as the container tools know it. */
const BASE_IMAGE = `debian:${SUITE}-slim`;

/**
 * Makes the guest's files with the Dockerfile. Where Debian's image cannot be pulled, mmdebstrap makes a base instead.
 * Images and containers of the build are removed again. @throws HypeError tool_missing | image_build_failed | disk_full | cancelled
 */
export async function fromContainerTool(tool: ContainerTool, job: SourceJob): Promise<void> {
  needTools(tool, "tar");
  const options = { ...(job.signal ? { signal: job.signal } : {}), onStderr: job.onText };
  const name = `hype-image-${randomUUID().slice(0, 8)}`;
  await using cleanup = new AsyncDisposableStack();
  const remove = (...argv: string[]) => cleanup.defer(async () => void (await run([tool, ...argv])));

  const base = (await pull(tool, job)) ? BASE_IMAGE : `${name}-base`;
  if (base !== BASE_IMAGE) {
    remove("rmi", "-f", base);
    await importBase(tool, base, job);
  }
  remove("rmi", "-f", name);
  const args = {
    BASE: base,
    SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH),
    APT_SOURCES: aptSources(job.aptMirrors).join("\\n"),
  };
  const buildArgs = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  await runStep([tool, "build", "--no-cache", "-t", name, ...buildArgs, job.recipe], options);

  if (tool === "buildah") {
    const container = (await runStep(["buildah", "from", "--pull-never", name], options)).trim();
    remove("rm", container);
    const tree = (await runStep(["buildah", "mount", container], options)).trim();
    await runStep(["tar", "-C", tree, "--sort=name", "--numeric-owner", "-cf", job.tar, "."], options);
  } else {
    // A container of an image without programs wants a command, which is never run.
    const container = (await runStep([tool, "create", name, "/none"], options)).trim();
    remove("rm", "-f", container);
    await runStep([tool, "export", "-o", job.tar, container], options);
  }
}

async function pull(tool: ContainerTool, job: SourceJob): Promise<boolean> {
  const result = await run([tool, "pull", BASE_IMAGE], {
    timeoutMs: 600_000,
    ...(job.signal ? { signal: job.signal } : {}),
  });
  if (result.code !== 0) job.onText(`${BASE_IMAGE} cannot be pulled: mmdebstrap makes the base image\n`);
  return result.code === 0;
}

async function importBase(tool: ContainerTool, name: string, job: SourceJob): Promise<void> {
  const tar = bareDebianTar(job);
  await bareDebian(job, tar);
  const options = { ...(job.signal ? { signal: job.signal } : {}) };
  if (tool !== "buildah") {
    await runStep([tool, "import", tar, name], options);
    return;
  }
  const container = (await runStep(["buildah", "from", "scratch"], options)).trim();
  try {
    await runStep(["buildah", "add", container, tar, "/"], options);
    await runStep(["buildah", "commit", container, name], options);
  } catch (thrown) {
    throw thrown instanceof HypeError
      ? new HypeError(thrown.code, `the base image could not be imported: ${thrown.message}`, thrown.details, {
          cause: thrown,
        })
      : thrown;
  } finally {
    await run(["buildah", "rm", container]);
  }
}
