import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "../host/files.ts";
import { needTools, runStep } from "./tools.ts";

/** The agent's path in the guest: images/init.sh mounts the disk made here at its directory. */
export const AGENT_GUEST_PATH = "/usr/lib/hype/hype-agent";

/**
 * Packs the agent into a file system that stays compressed in the guest's memory: only the parts that run are unpacked, and
 * those may be dropped again. Same agent, same bytes. @throws HypeError tool_missing | image_build_failed | disk_full | cancelled
 */
export async function makeAgentDisk(agent: string, scratch: string, signal?: AbortSignal): Promise<string> {
  needTools("mksquashfs");
  const directory = join(scratch, "agent");
  const disk = join(scratch, "agent.squashfs");
  try {
    mkdirSync(directory);
    copyFileSync(agent, join(directory, "hype-agent"));
    chmodSync(join(directory, "hype-agent"), 0o755);
  } catch (thrown) {
    throw fileError(thrown, directory);
  }
  const compression = ["-comp", "zstd", "-Xcompression-level", "19", "-b", "1M"];
  const reproducible = ["-all-root", "-mkfs-time", "0", "-all-time", "0", "-no-xattrs", "-noappend"];
  await runStep(["mksquashfs", directory, disk, ...compression, ...reproducible, "-no-progress", "-quiet"], {
    ...(signal ? { signal } : {}),
  });
  return disk;
}
