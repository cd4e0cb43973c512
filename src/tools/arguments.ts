import { HypeError } from "../contract/index.ts";
import { parsed } from "./parse.ts";
import type { Tool } from "./tool.ts";

/** Spellings of older tool sets, and what those had for people to read. */
const ALIASES: Record<string, string> = { ref: "target", startRef: "startTarget", endRef: "endTarget" };
const IGNORED = new Set(["element", "startElement", "endElement"]);
/** What those take and we do not: it is let in, and said to be of no use. */
const USELESS: Record<string, string> = {
  filename: "nothing is written to a file; the result is here",
  boxes: "snapshots have no boxes; browser_take_screenshot shows where things are",
};

/** @property notes for the caller to read, beside the result */
export type Taken = { input: Record<string, unknown>; notes: string[] };

/**
 * Arguments as a caller sent them, as the tool takes them: by their names of today, with the preset VM, and checked. Whoever calls a tool
 * comes by here.
 * @param presetVm the one VM this caller's endpoint is for; null: `vm` says which
 * @throws HypeError invalid_request naming each field that is wrong
 */
export function argumentsFor(tool: Tool, args: unknown, presetVm: string | null): Taken {
  const notes = uselessIn(tool, args).map((name) => `Note: \`${name}\` was ignored: ${USELESS[name]}.`);
  return { input: parsed(tool.input, prepare(tool, args, presetVm)), notes };
}

const entriesOf = (tool: Tool): object => (tool.input as { entries?: object }).entries ?? {};
const isUseless = (tool: Tool, name: string): boolean =>
  Object.hasOwn(USELESS, name) && tool.name.startsWith("browser_") && !Object.hasOwn(entriesOf(tool), name);
const uselessIn = (tool: Tool, args: unknown): string[] =>
  typeof args === "object" && args !== null ? Object.keys(args).filter((name) => isUseless(tool, name)) : [];

/** @throws HypeError invalid_request */
function prepare(tool: Tool, args: unknown, presetVm: string | null): unknown {
  if (args !== undefined && (typeof args !== "object" || args === null || Array.isArray(args))) return args;
  const entries = entriesOf(tool);
  const given = Object.create(null) as Record<string, unknown>; // nobody sets what it inherits
  for (const [name, value] of Object.entries(args ?? {})) {
    const today = Object.hasOwn(ALIASES, name) ? (ALIASES[name] as string) : name;
    if (Object.hasOwn(entries, name)) given[name] = value;
    else if (today !== name && Object.hasOwn(entries, today)) given[today] ??= value;
    else if (!IGNORED.has(name) && !isUseless(tool, name)) given[name] = value;
  }
  if (Array.isArray(given.fields)) given.fields = given.fields.map(renamed);
  if (presetVm === null || !Object.hasOwn(entries, "vm")) return given;
  if (given.vm !== undefined && given.vm !== presetVm)
    throw new HypeError("invalid_request", `this connection is for the VM ${presetVm} alone: leave out \`vm\``);
  return { ...given, vm: presetVm };
}

const renamed = (field: unknown): unknown => {
  if (typeof field !== "object" || field === null || !("ref" in field)) return field;
  const { ref, ...rest } = field;
  return { target: ref, ...rest };
};
