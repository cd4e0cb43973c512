import type { CommandDefinition } from "../definitions.ts";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { completionNodes } from "./words.ts";
import { zsh } from "./zsh.ts";

/** A script made from the commands themselves, so that it cannot fall behind them. VM names are asked of the server while completing. */
export function completionScript(shell: "bash" | "zsh" | "fish", definitions: CommandDefinition[]): string {
  const nodes = completionNodes(definitions);
  return { bash, zsh, fish }[shell](nodes);
}
