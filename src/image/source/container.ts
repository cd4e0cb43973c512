import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../host/run.ts";
import { aptSources, SOURCE_DATE_EPOCH, SUITE } from "../recipe.ts";
import { contained, needTools, runStep } from "../tools.ts";
import { bareDebian } from "./mmdebstrap.ts";
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
  const command = commandOf(tool, job);
  const options = { ...(job.signal ? { signal: job.signal } : {}), onStderr: job.onText };
  // "localhost" keeps the tools from looking for the name elsewhere.
  const name = `localhost/hype-image-${randomUUID().slice(0, 8)}`;
  await using cleanup = new AsyncDisposableStack();
  const remove = (...argv: string[]) => cleanup.defer(async () => void (await run(command(...argv))));

  const pulled = await run(command("pull", BASE_IMAGE), { ...options, timeoutMs: 600_000 });
  const base = pulled.code === 0 ? BASE_IMAGE : `${name}-base`;
  if (base !== BASE_IMAGE) {
    job.onText(`${BASE_IMAGE} cannot be pulled: mmdebstrap makes the base image\n`);
    remove("rmi", "-f", base);
    await runStep(command("build", "-t", base, await baseContext(job)), options);
  }
  remove("rmi", "-f", name);
  const args = {
    BASE: base,
    SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH),
    APT_SOURCES: aptSources(job.aptMirrors).join("\\n"),
  };
  const buildArgs = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  await runStep(saidOnStderr(command("build", "--no-cache", "-t", name, ...buildArgs, job.recipe)), options);

  if (tool === "buildah") return void (await runStep(command("export", name), options));
  // A container of an image without programs wants a command, which is never run.
  const container = (await runStep(command("create", name, "/none"), options)).trim();
  remove("rm", "-f", container);
  await runStep(command("export", "-o", job.tar, container), options);
}

/** Some tools tell their progress on standard output, some on standard error: it is wanted on one. */
const saidOnStderr = (argv: string[]): [string, ...string[]] => ["sh", "-c", 'exec "$@" >&2', "sh", ...argv];

/** Context of a base image made by mmdebstrap: the same for every tool. */
async function baseContext(job: SourceJob): Promise<string> {
  const context = join(job.directory, "base");
  mkdirSync(context);
  await bareDebian(job, join(context, "base.tar"));
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nADD base.tar /\n");
  return context;
}

type Command = (...argv: string[]) => [string, ...string[]];

/**
 * How a tool is called. buildah has no daemon: its storage is kept below the job's directory and its processes in namespaces of
 * their own, so that both go with the job, however it ends. What `export` is to the others, it does by mounting.
 */
function commandOf(tool: ContainerTool, job: SourceJob): Command {
  if (tool !== "buildah") return (...argv) => [tool, ...argv];
  const storage = ["--root", join(job.directory, "storage"), "--runroot", join(job.directory, "storage-run")];
  const exportScript = `
    name=$1 tar=$2; shift 2
    container=$(buildah "$@" from --pull-never "$name")
    tree=$(buildah "$@" mount "$container")
    tar -C "$tree" --sort=name --numeric-owner -cf "$tar" .`;
  return (subcommand, ...rest) =>
    subcommand === "export"
      ? contained(["sh", "-euc", exportScript, "sh", rest[0]!, job.tar, ...storage])
      : contained(["buildah", ...storage, subcommand!, ...rest]);
}
