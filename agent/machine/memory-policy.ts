import { writeFileSync } from "node:fs";

/**
 * When the guest's memory runs out a page is to die before the agent that can say so: sets how readily the kernel ends a
 * process, -1000 (never) to 1000 (first) (proc(5), oom_score_adj). Children inherit it.
 */
export const setOomScore = (pid: number | "self", score: number): void => set(`/proc/${pid}/oom_score_adj`, score);

/**
 * Lets programs reserve more address space than there is memory (proc_sys_vm(5), overcommit_memory). Chromium's renderers map
 * 512 MB at once that they hardly touch; by default a guest with less memory than that refuses, and every page dies (measured).
 */
export const allowReservations = (): void => set("/proc/sys/vm/overcommit_memory", 1);

function set(path: string, value: number): void {
  try {
    writeFileSync(path, String(value));
  } catch {
    // not ours to set (no root), or the process is gone: worse off, but no reason to fail
  }
}
