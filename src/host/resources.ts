import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** Memory of the host as the kernel accounts it (proc_meminfo(5)), MB. */
export function hostMemory(): { totalMb: number; availableMb: number } {
  const text = readFileSync("/proc/meminfo", "utf8");
  const megabytes = (field: string) =>
    Math.floor(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024);
  return { totalMb: megabytes("MemTotal"), availableMb: megabytes("MemAvailable") };
}

export const hostCpuCores = (): number => availableParallelism();
export const loadAverage1m = (): number => loadavg()[0] ?? 0;

/** Proportional share of a process's memory, MB; null when it cannot be read. */
export function processMemoryMb(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Math.round(Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024);
  } catch {
    return null;
  }
}
