import { existsSync } from "node:fs";
import { HypeError } from "../../contract/errors.ts";
import { run, tail } from "../../host/run.ts";
import { mustRun } from "../host/must-run.ts";
import type { Action, Kind } from "./action.ts";

type Unit = Extract<Action, { kind: "unit" }>;
type State = { enabled: boolean; active: boolean; stale: boolean };

/** sd_booted(3): this directory is there exactly when systemd is the init of this machine. */
export const systemdRuns = (): boolean => existsSync("/run/systemd/system");

/** Properties of a unit as `systemctl show` tells them; null where systemd does not run or does not answer. */
export async function unitState(name: string, ...properties: string[]): Promise<Record<string, string> | null> {
  if (!systemdRuns() || !Bun.which("systemctl")) return null;
  const { code, stdout } = await run(["systemctl", "show", name, `--property=${properties.join(",")}`]);
  if (code !== 0) return null;
  return Object.fromEntries(
    stdout
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** Enabled and running, where systemd runs; elsewhere there is nothing to do, and `hype setup` says what to start by hand. */
export const unit: Kind<Unit> = {
  programs: () => (systemdRuns() ? ["systemctl"] : []),
  commands: ({ name, again }) =>
    systemdRuns()
      ? [
          ["systemctl", "daemon-reload"],
          ["systemctl", "enable", name],
          ["systemctl", again === "reload" ? "reload-or-restart" : "restart", name],
        ]
      : [],
  async observe({ name }): Promise<State> {
    const shown = await unitState(name, "UnitFileState", "ActiveState", "NeedDaemonReload");
    if (!shown) return { enabled: false, active: false, stale: false };
    return {
      enabled: shown.UnitFileState === "enabled",
      active: shown.ActiveState === "active",
      stale: shown.NeedDaemonReload === "yes",
    };
  },
  isDone(_action, now) {
    const { enabled, active, stale } = now as State;
    return !systemdRuns() || (enabled && active && !stale);
  },
  async apply(action) {
    try {
      for (const command of this.commands(action)) await mustRun(command);
    } catch (thrown) {
      const why = await lastWords(action.name);
      throw why
        ? new HypeError("setup_failed", `${action.name} does not start: ${why}`, {}, { cause: thrown })
        : thrown;
    }
  },
  async restore(action, before, how) {
    if (!systemdRuns()) return null;
    const was = before as State;
    const now = (await this.observe(action)) as State;
    if (how !== "failed" || !was.active) await quietly(["systemctl", "stop", action.name], now.active);
    if (!was.enabled) await quietly(["systemctl", "disable", "--quiet", action.name], now.enabled);
    await run(["systemctl", "reset-failed", action.name]); // it fails where there is nothing to forget
    return null;
  },
};

/** What a unit that failed said last, from the journal; null where nothing can be read. */
async function lastWords(name: string): Promise<string | null> {
  if (!Bun.which("journalctl")) return null;
  const invocation = (await unitState(name, "InvocationID"))?.InvocationID;
  if (!invocation) return null;
  await run(["journalctl", "--sync"]); // what it said a moment ago may not be written yet
  const { stdout } = await run([
    "journalctl",
    "--no-pager",
    "-q",
    "-o",
    "cat",
    "-n",
    "5",
    `_SYSTEMD_INVOCATION_ID=${invocation}`,
  ]);
  return stdout.trim() === "" ? null : tail(stdout, 5);
}

async function quietly(command: [string, ...string[]], needed: boolean): Promise<void> {
  if (needed) await mustRun(command);
}
