import { readFileSync } from "node:fs";

/** Memory as the kernel accounts it (proc_meminfo(5)), MB. */
export function memoryMb(): { total_mb: number; available_mb: number } {
  const text = readFileSync("/proc/meminfo", "utf8");
  const megabytes = (field: string) =>
    Math.floor(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024);
  return { total_mb: megabytes("MemTotal"), available_mb: megabytes("MemAvailable") };
}
