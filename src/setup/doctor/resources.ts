import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { diskFreeMb } from "../../host/files.ts";
import { hostCpuCores, hostMemory } from "../../host/resources.ts";
import { run } from "../../host/run.ts";
import { type Check, fine, finding } from "./check.ts";

/** A build holds the root tree, its packages and the finished image at the same time. */
const BUILD_MB = 4000;
/** Logs, database and sockets; a VM itself writes to memory. */
const RUN_MB = 300;
/** What `vms create` asks for when nothing is said, MB. */
const DEFAULT_VM_MB = 1024;

const existing = (path: string): string => (existsSync(path) || path === "/" ? path : existing(dirname(path)));

export const disk: Check = {
  id: "disk",
  async run({ config }) {
    const freeMb = diskFreeMb(existing(config.imageDir));
    const seen = `${freeMb} MB free for ${config.imageDir}`;
    const why = `Building an image takes up to ${BUILD_MB} MB for a while; running needs ${RUN_MB} MB`;
    const remedy = "Free space, or point OVERHYPED_HOME at a larger disk";
    if (freeMb < RUN_MB) return { status: "fail", seen, why, remedy };
    if (freeMb < BUILD_MB) return { status: "warn", seen, why, remedy };
    return { status: "ok", seen, why, remedy: null };
  },
};

export const memory: Check = {
  id: "memory",
  async run() {
    const { totalMb, availableMb } = hostMemory();
    const cores = hostCpuCores();
    const seen = `${availableMb} of ${totalMb} MB available, ${cores} CPU ${cores === 1 ? "core" : "cores"}`;
    const why = `A VM takes ${DEFAULT_VM_MB} MB unless told otherwise`;
    if (availableMb < DEFAULT_VM_MB)
      return { status: "warn", seen, why, remedy: "Close programs, or create VMs with --memory 512" };
    return { status: "ok", seen, why, remedy: null };
  },
};

/** Reflinks are a nicety: copies of large files that take no time and no space (ioctl_ficlone(2)). */
export const fileSystem: Check = {
  id: "file-system",
  async run({ config }) {
    const why = "Where the file system can share blocks between files, copies of images take no time and no space";
    const { home } = config;
    if (!canWrite(home)) return fine(`${home} cannot be tried by this user`, why);
    const directory = mkdtempSync(join(home, ".doctor-"));
    try {
      writeFileSync(join(directory, "a"), "block");
      const { code } = await run(["cp", "--reflink=always", join(directory, "a"), join(directory, "b")], {
        timeoutMs: 10_000,
      });
      if (code === 0) return fine(`${home} shares blocks between files`, why);
      return finding("note", `${home} cannot share blocks between files`, why, "XFS and btrfs can; nothing needs it");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
