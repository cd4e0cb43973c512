import { DEFAULT_CONFIG_FILE, loadConfig, type Config } from "../../config/load.ts";
import { firstSettings } from "../../setup/files/settings.ts";
import { serviceProgram } from "../../setup/host/program.ts";
import { makePlan, type Step } from "../../setup/plan.ts";
import { foresee } from "../../setup/run-plan.ts";
import { completionScript } from "../completion/script.ts";
import { commandDefinitions } from "../definitions.ts";
import { actionLine } from "./show.ts";

export type PlanHere = { config: Config; program: string; steps: Step[] };

/**
 * The plan for this host, with the settings as the service sees them: its file, or what a first setup will write there.
 * @param env of the caller: a first setup takes its OVERHYPED_* over. @throws HypeError config_invalid
 */
export async function planHere(env: Record<string, string | undefined>): Promise<PlanHere> {
  const settings = firstSettings(env);
  const config =
    (await settingsFile()) === "readable"
      ? loadConfig({ OVERHYPED_CONFIG: DEFAULT_CONFIG_FILE })
      : loadConfig({ OVERHYPED_CONFIG: "/dev/null", ...settings });
  const definitions = commandDefinitions();
  const script = (shell: "bash" | "zsh" | "fish") => completionScript(shell, definitions);
  const completions = { bash: script("bash"), zsh: script("zsh"), fish: script("fish") };
  const program = serviceProgram();
  return { config, program, steps: makePlan({ config, settings, program, completions }) };
}

/** What setup would change now, a line each; null where this user may not know the settings it would follow. */
export async function openChanges(env: Record<string, string | undefined>): Promise<string[] | null> {
  if ((await settingsFile()) === "closed") return null;
  const outlook = await foresee((await planHere(env)).steps);
  return outlook.flatMap(({ actions }) =>
    actions.filter(({ isDone }) => !isDone).map(({ action }) => actionLine(action)),
  );
}

async function settingsFile(): Promise<"missing" | "closed" | "readable"> {
  try {
    await Bun.file(DEFAULT_CONFIG_FILE).text();
    return "readable";
  } catch (thrown) {
    return (thrown as { code?: string }).code === "ENOENT" ? "missing" : "closed";
  }
}
