import { HypeError, messageOf } from "../contract/errors.ts";
import type { Action, Before } from "./actions/action.ts";
import { kindOf } from "./actions/kinds.ts";
import { systemdRuns } from "./actions/unit.ts";
import { mustRun } from "./host/must-run.ts";
import { ETC, type Step } from "./plan.ts";
import type { SetupRecord } from "./record.ts";

export type ActionOutlook = { action: Action; isDone: boolean; commands: [string, ...string[]][] };
export type StepOutlook = Omit<Step, "actions"> & { actions: ActionOutlook[] };
export type StepResult = Pick<Step, "id" | "title"> & { status: "changed" | "unchanged" };

/** What a run would do now. Needs no root and no program; changes nothing. */
export const foresee = (steps: Step[]): Promise<StepOutlook[]> =>
  Promise.all(
    steps.map(async (step) => ({
      ...step,
      actions: await Promise.all(
        step.actions.map(async (action) => {
          const kind = kindOf(action);
          return { action, isDone: kind.isDone(action, await kind.observe(action)), commands: kind.commands(action) };
        }),
      ),
    })),
  );

/** @throws HypeError tool_missing naming every program that the changes need and this host lacks */
export function needPrograms(outlook: StepOutlook[]): void {
  const open = outlook.flatMap(({ actions }) => actions.filter(({ isDone }) => !isDone));
  const programs = new Set(open.flatMap(({ action }) => kindOf(action).programs(action)));
  const missing = [...programs].filter((program) => !Bun.which(program));
  if (missing.length > 0)
    throw new HypeError("tool_missing", `setup needs ${missing.join(", ")}; nothing was changed`, { tools: missing });
}

/**
 * Makes every change that is not made yet; a second run changes nothing. When one fails, what this run changed is taken back, last first.
 * @param signal aborts between two changes.
 * @throws HypeError setup_failed saying what failed and whether all was taken back
 */
export async function runPlan(
  steps: Step[],
  record: SetupRecord,
  { signal, onStep }: { signal: AbortSignal; onStep: (result: StepResult) => void },
): Promise<StepResult[]> {
  const undo: { action: Action; before: Before; isNew: boolean }[] = [];
  const results: StepResult[] = [];
  let at = "";
  try {
    for (const step of steps) {
      at = step.title;
      const changesBefore = undo.length;
      for (const action of step.actions) {
        signal.throwIfAborted();
        const kind = kindOf(action);
        const before = await kind.observe(action);
        if (kind.isDone(action, before)) continue;
        undo.push({ action, before, isNew: !record.has(action) });
        await makeChange(action, before, record);
      }
      const status = undo.length > changesBefore ? ("changed" as const) : ("unchanged" as const);
      results.push({ id: step.id, title: step.title, status });
      onStep(results.at(-1)!);
    }
    return results;
  } catch (thrown) {
    const remarks = await takeBack(undo, record);
    const code = thrown instanceof HypeError && thrown.code === "tool_missing" ? "tool_missing" : "setup_failed";
    const after = remarks.length === 0 ? "what this run had changed was undone" : `left behind: ${remarks.join("; ")}`;
    throw new HypeError(code, `${at}: ${messageOf(thrown)} (${after})`, { step: at }, { cause: thrown });
  }
}

async function makeChange(action: Action, before: Before, record: SetupRecord): Promise<void> {
  const kind = kindOf(action);
  record.intend(action, before);
  // The record's own directory cannot hold it before it is there.
  const isHome = action.kind === "directory" && action.path === ETC;
  if (!isHome) record.save();
  await kind.apply(action, before);
  if (isHome) record.save();
  if (!kind.isDone(action, await kind.observe(action)))
    throw new HypeError("setup_failed", "the change was made and did not hold");
}

async function takeBack(
  undo: { action: Action; before: Before; isNew: boolean }[],
  record: SetupRecord,
): Promise<string[]> {
  const remarks: string[] = [];
  for (const { action, before, isNew } of undo.toReversed()) {
    try {
      if (isNew) record.forget(action);
      if (isNew && record.entries.length === 0) record.save();
      const remark = await kindOf(action).restore(action, before, "failed");
      if (remark) remarks.push(remark);
      if (record.entries.length > 0) record.save();
    } catch (thrown) {
      remarks.push(messageOf(thrown));
    }
  }
  await tellSystemd(undo.map(({ action }) => action)).catch((thrown) => remarks.push(messageOf(thrown)));
  return remarks;
}

/** systemd keeps what it read until it is told (systemctl(1), daemon-reload). */
export async function tellSystemd(restored: Action[]): Promise<void> {
  const touched = restored.some((action) => action.kind === "file" && action.path.startsWith("/etc/systemd/system/"));
  if (touched && systemdRuns()) await mustRun(["systemctl", "daemon-reload"]);
}
