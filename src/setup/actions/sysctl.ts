import { existsSync, readFileSync } from "node:fs";
import { mustRun } from "../host/must-run.ts";
import type { Action, Kind } from "./action.ts";

type Sysctl = Extract<Action, { kind: "sysctl" }>;

/** Value of a kernel parameter as text; null when this kernel has none of that name (sysctl(8) writes dots for slashes). */
export function sysctlValue(key: string): string | null {
  try {
    return readFileSync(`/proc/sys/${key.replaceAll(".", "/")}`, "utf8").trim();
  } catch {
    return null;
  }
}

/** Programs that forward packets too and do not say so when they come: what they need is not switched off under them. */
const OTHER_ROUTERS = [
  "/sys/class/net/docker0",
  "/sys/class/net/virbr0",
  "/sys/class/net/lxdbr0",
  "/sys/class/net/cni0",
];

export const sysctl: Kind<Sysctl> = {
  programs: () => ["sysctl"],
  commands: ({ key, value }) => [["sysctl", "-q", "-w", `${key}=${value}`]],
  observe: async ({ key }) => sysctlValue(key),
  isDone: ({ value }, now) => now === value,
  async apply(action) {
    for (const command of this.commands(action)) await mustRun(command);
  },
  async restore({ key, value }, before, how) {
    if (typeof before !== "string" || sysctlValue(key) !== value) return null;
    const other = how === "failed" ? undefined : OTHER_ROUTERS.find((path) => existsSync(path));
    if (other) return `${key} stays ${value} (it was ${before}): ${other.split("/").at(-1)} needs it`;
    await mustRun(["sysctl", "-q", "-w", `${key}=${before}`]);
    return null;
  },
};
