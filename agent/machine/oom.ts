import { writeFileSync } from "node:fs";

/**
 * When the guest's memory runs out a page is to die before the agent that can say so: sets how readily the kernel ends a
 * process, -1000 (never) to 1000 (first) (proc(5), oom_score_adj). Children inherit it. Needs root; without it, harmless.
 */
export function setOomScore(pid: number | "self", score: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
  } catch {
    // not ours to set, or the process is gone
  }
}
