import type { Action } from "../../setup/actions/action.ts";
import { systemdRuns } from "../../setup/actions/unit.ts";
import type { Entry } from "../../setup/record.ts";
import type { StepOutlook } from "../../setup/run-plan.ts";
import type { Colours } from "../output/colours.ts";

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** One action in one line. */
export function actionLine(action: Action): string {
  switch (action.kind) {
    case "group":
      return `group ${action.name}`;
    case "user":
      return `user ${action.name}`;
    case "member":
      return `user ${action.user} in group ${action.group}`;
    case "directory":
      return `directory ${action.path}, mode ${octal(action.mode)}, root:root`;
    case "file":
      return `file ${action.path}, mode ${octal(action.mode)}, root:${action.group ?? "root"}`;
    case "sysctl":
      return `kernel parameter ${action.key} = ${action.value}`;
    case "unit":
      return `unit ${action.name}: enabled and running`;
  }
}

/** Every file whole and every command word by word, `>` what a unit runs in turn; `+` where it would change something, `=` where it is so already. */
export function showOutlook(steps: StepOutlook[], paint: Colours): string {
  const lines: string[] = [];
  for (const { title, actions } of steps) {
    lines.push(paint.bold(title));
    for (const { action, isDone, commands } of actions) {
      if (action.kind === "unit" && !systemdRuns()) {
        lines.push(`  - unit ${action.name}: systemd does not run here, nothing is started`);
        continue;
      }
      lines.push(isDone ? paint.dim(`  = ${actionLine(action)}`) : `  ${paint.green("+")} ${actionLine(action)}`);
      if (isDone) continue;
      for (const command of commands) lines.push(`    $ ${command.map(shellWord).join(" ")}`);
      if (action.kind === "unit" && action.runs)
        lines.push(...action.runs.map((words) => paint.dim(indent(words, "    > "))));
      if (action.kind === "file") lines.push(paint.dim(indent(action.content.trimEnd(), "    | ")));
    }
  }
  return `${lines.join("\n")}\n`;
}

export function showUndo(entries: Entry[], purge: boolean, paint: Colours): string {
  const lines = entries.map(({ action, before }) => {
    const returns = before !== null && before !== false;
    const kept = action.kind === "directory" && action.data && !purge;
    const what =
      action.kind === "unit" ? "stop and disable" : returns ? "put back" : kept ? "remove if empty" : "remove";
    return `  ${paint.red("-")} ${what}: ${actionLine(action)}`;
  });
  return lines.map((line) => `${line}\n`).join("");
}

const indent = (text: string, margin: string): string =>
  text
    .split("\n")
    .map((line) => `${margin}${line}`.trimEnd())
    .join("\n");

const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
