import { aptSources, packagesToInstall, SOURCE_DATE_EPOCH, SUITE } from "../recipe.ts";
import { contained, needTools, runStep } from "../tools.ts";
import type { SourceJob } from "./source.ts";

/**
 * Makes the guest's files with mmdebstrap and no container tool: installs the packages in a chroot below the job's directory and
 * runs customize.sh there. @throws HypeError tool_missing | image_build_failed | disk_full | cancelled
 */
export async function fromMmdebstrap(job: SourceJob): Promise<void> {
  needTools("mmdebstrap", "tar");
  const customize = [
    'mkdir "$1/recipe"',
    `cp ${quote(job.recipe)}/* "$1/recipe/"`,
    'chroot "$1" sh /recipe/customize.sh /recipe /out',
    `tar -C "$1/out" --sort=name --numeric-owner -cf ${quote(job.tar)} .`,
  ].join(" && ");
  await bootstrap(job, ["--include", packagesToInstall().join(","), "--customize-hook", customize], "/dev/null");
}

/** A bare Debian system with apt as a tar file: the base image where no container registry can be reached. */
export async function bareDebian(job: SourceJob, target: string): Promise<void> {
  needTools("mmdebstrap", "tar");
  await bootstrap(job, [], target);
}

async function bootstrap(job: SourceJob, options: string[], target: string): Promise<void> {
  const sources = aptSources(job.aptMirrors);
  const argv: [string, ...string[]] = [
    "mmdebstrap",
    "--quiet",
    "--variant=apt",
    "--skip=cleanup", // customize.sh takes what the guest needs; the rest is thrown away as it is
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    ...options,
    SUITE,
    target,
    ...(sources.length > 0 ? ["-"] : []),
  ];
  await runStep(contained(argv), {
    env: { SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH), TMPDIR: job.directory, LC_ALL: "C" },
    ...(sources.length > 0 ? { stdin: `${sources.join("\n")}\n` } : {}),
    ...(job.signal ? { signal: job.signal } : {}),
    onStderr: job.onText,
  });
}

/** A path as one word of a shell line. */
const quote = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;
