/** Tools that belong together, so that a client can ask for some of them. */
export const TOOL_GROUPS = [
  "vms",
  "browser",
  "input",
  "observe",
  "testing",
  "state",
  "network",
  "files",
  "profiles",
  "artifacts",
  "host",
] as const;
export type ToolGroup = (typeof TOOL_GROUPS)[number];

/** What a choice of tools is made of: those listed by default, all, or groups by name. */
export const TOOL_WORDS = ["default", "all", ...TOOL_GROUPS] as const;
export type ToolSelection = readonly (typeof TOOL_WORDS)[number][];
export const isToolSelection = (words: readonly string[]): words is ToolSelection =>
  words.length > 0 && words.every((word) => (TOOL_WORDS as readonly string[]).includes(word));
/** What to say of anything else, after its name. */
export const TOOL_SELECTION_RULE = `must be default, all, or some of ${TOOL_GROUPS.join(", ")}, comma-separated`;
