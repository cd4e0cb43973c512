import { readFileSync, writeFileSync } from "node:fs";

/** From /proc/PID/status (proc_pid_status(5)), MB. */
function statusMb(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) / 1024;
}

/**
 * Watches the resident memory of a process from now on.
 * @returns a function that says by how much it grew at its peak, MB; the kernel keeps that, so that nothing is missed between looks
 */
export function watchMemory(pid: number): () => number {
  writeFileSync(`/proc/${pid}/clear_refs`, "5"); // sets the peak to what it is now (proc_pid_clear_refs(5))
  const before = statusMb(pid, "VmRSS");
  return () => statusMb(pid, "VmHWM") - before;
}
