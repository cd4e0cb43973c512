import { readdirSync, readFileSync } from "node:fs";

/** `Seccomp:` in /proc/PID/status: 2 = filter mode (proc(5)). */
const FILTER_MODE = "2";

/**
 * Whether a renderer of this Chromium runs under a seccomp filter; null while there is no renderer.
 * @param group process group of the browser process, which its children share.
 */
export function rendererSandboxed(group: number): boolean | null {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) !== group) continue;
      if (!/--type=renderer\b/.test(readFileSync(`/proc/${name}/cmdline`, "utf8"))) continue;
      return /^Seccomp:\s+(\d)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1] === FILTER_MODE;
    } catch {
      // it ended while we looked
    }
  }
  return null;
}
