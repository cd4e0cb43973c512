import type { CommandDefinition } from "../definitions.ts";

/** What may follow a line so far. Shells differ in syntax, not in this. */
export type CompletionNode = {
  /** Words after `hype`, joined by spaces; "" for the beginning. */
  path: string;
  words: { word: string; description: string }[];
  options: { names: string[]; description: string; takesValue: boolean }[];
  /** True where a VM's name may stand. */
  takesVm: boolean;
};

/** One node for the beginning, one for each group and one for each command. */
export function completionNodes(definitions: CommandDefinition[]): CompletionNode[] {
  const groups = new Map<string, CompletionNode>();
  const node = (path: string): CompletionNode => {
    const found = groups.get(path) ?? { path, words: [], options: [], takesVm: false };
    groups.set(path, found);
    return found;
  };
  for (const { path, description } of definitions)
    for (const [depth, word] of path.entries()) {
      const parent = node(path.slice(0, depth).join(" "));
      const isGroup = depth < path.length - 1;
      if (!parent.words.some((known) => known.word === word))
        parent.words.push({ word, description: isGroup ? `${word} commands` : description });
    }
  const shells = ["bash", "zsh", "fish"].map((word) => ({ word, description: `${word} script` }));
  for (const definition of definitions) {
    const own = node(definition.path.join(" "));
    own.takesVm = /<name>/.test(definition.usage) && definition.path[1] !== "create";
    if (definition.path[0] === "completion") own.words.push(...shells);
    own.options = definition.options.map(({ names, placeholder, description }) => ({
      names,
      description,
      takesValue: placeholder !== null,
    }));
  }
  return [...groups.values()];
}
