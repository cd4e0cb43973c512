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

/** Ticks per second of the times in /proc: USER_HZ, 100 on every Linux of ours (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Processor time a process has used, seconds, and its resident memory; null when it is gone. proc_pid_stat(5), fields 14, 15, 24. */
export function processUsage(pid: number): { cpuSeconds: number; memoryMb: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const at = (field: number) => Number(fields[field - 3]);
    return {
      cpuSeconds: (at(14) + at(15)) / TICKS_PER_SECOND,
      memoryMb: Math.round((at(24) * PAGE_BYTES) / 1024 / 1024),
    };
  } catch {
    return null;
  }
}

/** Proportional share of a process's memory, MB; null when it cannot be read. */
export function processMemoryMb(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Math.round(Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024);
  } catch {
    return null;
  }
}
