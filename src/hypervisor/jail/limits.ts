import type { Measure } from "../../contract/index.ts";
import { cgroupWords, setCgroup } from "../../host/cgroup.ts";
import type { JailRequest } from "./jail.ts";

type Resources = Pick<JailRequest, "cpuCores" | "memoryMb" | "accelerator">;

/** The VMM itself, its device buffers, passt, and page cache that is charged to whoever read it first. */
const OVERHEAD_MB = 256;
/** Page tables and the VMM's own map of the guest's memory: a share of it. */
const OVERHEAD_SHARE = 1 / 32;
/** QEMU lets translated code grow to 1 GiB (accel/tcg, default tb-size of a 64-bit host). */
const TRANSLATION_MB = 1024;

export const memoryLimitMb = ({ memoryMb, accelerator }: Resources): number =>
  memoryMb + OVERHEAD_MB + Math.ceil(memoryMb * OVERHEAD_SHARE) + (accelerator === "tcg" ? TRANSLATION_MB : 0);

/** A thread per core, QEMU's pool of up to 64 for disk requests, passt, and room. */
export const taskLimit = (cpuCores: number): number => cpuCores + 256;

const PERIOD_US = 100_000;

/** What is written into a VM's cgroup (Documentation/admin-guide/cgroup-v2.rst). Files marked optional are not in every kernel. */
export function cgroupLimits(vm: Resources): {
  measure: Measure;
  controller: string;
  files: [string, string | number][];
  optional: [string, string | number][];
}[] {
  return [
    {
      measure: "memory-limit",
      controller: "memory",
      files: [["memory.max", memoryLimitMb(vm) * 1_048_576]],
      // A guest's memory in swap is a guest's secrets on a disk; half a VMM is of no use to anybody.
      optional: [
        ["memory.swap.max", 0],
        ["memory.oom.group", 1],
      ],
    },
    {
      measure: "cpu-limit",
      controller: "cpu",
      // Half a core beside the guest's own for the threads that serve its devices.
      files: [["cpu.max", `${vm.cpuCores * PERIOD_US + PERIOD_US / 2} ${PERIOD_US}`]],
      // Where all want to run, cores count and not machines.
      optional: [["cpu.weight", Math.min(10_000, vm.cpuCores * 100)]],
    },
    {
      measure: "pids-limit",
      controller: "pids",
      files: [["pids.max", taskLimit(vm.cpuCores)]],
      optional: [],
    },
  ];
}

/** Writes the limits of a VM. @returns what is in force and what is not, with the kernel's own words. */
export function setLimits(
  cgroup: string,
  vm: Resources,
): { measures: Measure[]; missing: { measure: Measure; reason: string }[] } {
  const controllers = new Set(cgroupWords(cgroup, "cgroup.controllers"));
  const measures: Measure[] = [];
  const missing: { measure: Measure; reason: string }[] = [];
  for (const { measure, controller, files, optional } of cgroupLimits(vm)) {
    if (!controllers.has(controller)) {
      missing.push({
        measure,
        reason: `this host's cgroup v2 has no ${controller} controller to give`,
      });
      continue;
    }
    const faults = files.map(([file, value]) => setCgroup(cgroup, file, value)).filter((fault) => fault !== null);
    for (const [file, value] of optional) setCgroup(cgroup, file, value);
    if (faults.length === 0) measures.push(measure);
    else missing.push({ measure, reason: faults.join("; ") });
  }
  return { measures, missing };
}
