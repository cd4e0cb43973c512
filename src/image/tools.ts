import { HypeError } from "../contract/index.ts";
import { run, tail, type RunOptions } from "../host/run.ts";

/** Programs that image builds call, with the Debian package that has them. */
const PACKAGE_OF = {
  mmdebstrap: "mmdebstrap",
  tar: "tar",
  unshare: "util-linux",
  newuidmap: "uidmap",
  "mkfs.erofs": "erofs-utils",
  "fsck.erofs": "erofs-utils",
  mksquashfs: "squashfs-tools",
  docker: "docker.io",
  podman: "podman",
  buildah: "buildah",
} as const;
export type Tool = keyof typeof PACKAGE_OF;

export const hasTool = (tool: Tool): boolean => Bun.which(tool) !== null;

/** @throws HypeError tool_missing naming every missing program, its package and how to get it. */
export function needTools(...tools: Tool[]): void {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => PACKAGE_OF[tool]))];
  throw new HypeError(
    "tool_missing",
    `building an image needs ${missing.join(", ")}: apt-get install ${packages.join(" ")}`,
    { tools: missing, packages },
  );
}

/** What tools say when the disk is full; the last is apt's. */
const NO_SPACE = /no space left on device|disk quota exceeded|don't have enough free space/i;

/** Long enough for a package download over a slow line. */
const BUILD_STEP_TIMEOUT_MS = 3_600_000;

/**
 * Runs a step of a build to its end.
 * @returns its standard output.
 * @throws HypeError disk_full | image_build_failed with the tool's own last lines | cancelled | operation_timeout
 */
export async function runStep(argv: [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, { timeoutMs: BUILD_STEP_TIMEOUT_MS, ...options });
  if (result.code === 0) return result.stdout;
  const output = tail(result.stderr.trim() || result.stdout);
  const tool = argv.find((word) => word in PACKAGE_OF && word !== "unshare") ?? argv[0];
  if (NO_SPACE.test(result.stderr))
    throw new HypeError("disk_full", `no space left while ${tool} ran: ${output}`, { tool });
  throw new HypeError("image_build_failed", `${tool} ended with exit code ${result.code}: ${output}`, { tool });
}

/**
 * Words before a command that needs root's rights over files it makes. They give it namespaces of its own, so that nothing it
 * mounts or starts outlives it, however it ends; a user who is not root gets to be root in there, over subordinate ids (subuid(5)).
 */
export function contained(argv: [string, ...string[]]): [string, ...string[]] {
  const isRoot = process.getuid?.() === 0;
  needTools("unshare", ...(isRoot ? [] : (["newuidmap"] as const)));
  const user = isRoot ? [] : ["--map-root-user", "--map-auto"];
  return ["unshare", ...user, "--mount", "--pid", "--fork", "--kill-child=KILL", "--", ...argv];
}
