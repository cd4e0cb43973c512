import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { diskFreeMb } from "../../host/files.ts";
import { hostCpuCores, hostMemory } from "../../host/resources.ts";
import type { Check } from "./check.ts";

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
