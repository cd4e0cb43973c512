import type { AguiOperation } from "../contract/agui.ts";
import { nearMisses } from "../tools/near-miss.ts";
import type { Tool } from "../tools/tool.ts";
import { CLI_COMMANDS, type CliFlag, type CliTool, EVERYWHERE, LETTERS, SYNONYMS } from "./cli-commands.ts";
import { type Field, fieldNamed, fieldsOf, named, put, usage } from "./command-fields.ts";
import { splitWords } from "./words.ts";

/** What a command needs to know of who gives it. */
export type Surroundings = {
  /** The tools the caller may use. */
  tools: readonly Tool[];
  /** Name of the VM the run is about; null: of none in particular. */
  preset: string | null;
  /** Names of the VMs there are. */
  vms: readonly string[];
  /** Names of those that run. */
  running: readonly string[];
};

/** A line whose command is known. */
type Said = { tool: Tool; cli: CliTool; isOfCli: boolean; label: string; rest: string[]; fields: Field[] };

/**
 * `/vms create web --cpu 2`: a line as the CLI would take it, `hype` left out; what the CLI has no command for is said by the tool's name.
 * Then come its fields, by place or as `--field value`. A field may be cut short as long as it stays clear, and takes the units of the CLI.
 * @returns one operation, or one for each VM
 * @throws HypeError usage, with what was probably meant
 */
export function parseCommand(line: string, around: Surroundings): AguiOperation[] {
  const said = commandOfWords(splitWords(line.replace(/^\//, "")), around);
  const { tool, cli, rest, label } = said;
  const found: Record<string, unknown> = {};
  const places: string[] = [];
  let isPlain = false; // after --
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] as string;
    const [, short, long, , attached] = /^-(?:([A-Za-z])|-([^=]+))(=(.*))?$/s.exec(word) ?? [];
    if (isPlain) places.push(word);
    else if (word === "--") isPlain = true;
    else if (short !== undefined || long !== undefined) {
      const isTaken = putFlag(said, found, short, long ?? "", attached, rest[at + 1]);
      if (isTaken) at++;
    } else if (/^-[A-Za-z]/.test(word)) throw unknownFlag(said, word);
    else places.push(word);
  }
  if (!isPlain && places.includes("-") && /^-( <.*)?$/.test(places.slice(places.indexOf("-")).join(" ")))
    throw usage(`${label}: there is no standard input here; write the text itself in the place of -`);
  if (cli.isForEach && places.length > 1) return places.map((vm) => ({ tool: tool.name, arguments: { ...found, vm } }));
  place(said, places, found, around);
  // What was said wins over what the command says by itself, except for what it is.
  const whole = { ...cli.given, ...found };
  return [{ tool: tool.name, arguments: cli.shape ? cli.shape(whole) : whole }];
}

const singular = (word: string): string =>
  word.length > 2 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;

function commandOfWords(words: readonly string[], { tools }: Surroundings): Said {
  const lower = words.map((word) => word.toLowerCase());
  const [first = "", second = ""] = lower.map((word) => word.replaceAll("-", "_"));
  const byName = (name: string) => tools.find((tool) => tool.name === name);
  const saidBy = (tool: Tool, count: number, cli?: CliTool): Said => ({
    tool,
    cli: cli ?? { tool: tool.name },
    isOfCli: cli !== undefined,
    label: `/${lower.slice(0, count).join(" ")}`,
    rest: words.slice(count),
    fields: fieldsOf(tool),
  });
  // `/browser click` and `/click` are the same, unless the first names a tool with a word more to say.
  const skipped = first === "browser" ? 1 : 0;
  for (const count of [2, 1]) {
    const typed = lower.slice(skipped, skipped + count);
    const path = typed.join(" ");
    const cli = CLI_COMMANDS[Object.hasOwn(SYNONYMS, path) ? (SYNONYMS[path] as string) : path];
    if (!cli || typed.length < count) continue;
    if ("elsewhere" in cli) throw usage(`/${path} has no meaning in a run: ${cli.elsewhere}`);
    if (skipped === 1 && cli.given && byName(`browser_${second}`)) break;
    const tool = byName(cli.tool);
    if (tool) return saidBy(tool, skipped + count, cli);
  }
  const inGroup = byName(`${singular(first)}_${second}`) ?? byName(`${first}_${second}`);
  if (inGroup && second) return saidBy(inGroup, 2);
  const ending = tools.filter(({ name }) => name.endsWith(`_${first}`));
  const alone = byName(first) ?? byName(SYNONYMS[first] ?? "") ?? (ending.length === 1 ? ending[0] : undefined);
  if (alone) return saidBy(alone, 1);
  const names = tools.map(({ name }) => name);
  const likely = [...new Set([...nearMisses(`${singular(first)}_${second}`, names), ...nearMisses(first, names)])];
  throw usage(
    `there is no command /${words.slice(0, 2).join(" ").slice(0, 60)}` +
      (likely.length > 0 ? `; did you mean ${likely.slice(0, 3).map(commandOf).join(", ")}?` : "; /help lists them"),
  );
}

/** `vm_create` as it is typed. */
export const commandOf = (tool: string): string => {
  const at = tool.indexOf("_");
  const noun = tool.slice(0, at);
  return `/${noun === "browser" || noun === "page" || noun === "host" ? noun : `${noun}s`} ${tool.slice(at + 1).replaceAll("_", "-")}`;
};

const unknownFlag = ({ label, fields }: Said, word: string) =>
  usage(
    `${label} has no ${word.slice(0, 40)}; it takes ${fields.map(({ name }) => `--${named(name)}`).join(", ") || "nothing"}` +
      `; -- before it makes it a word`,
  );

/**
 * One flag into what was found.
 * @param attached what stands after its `=`
 * @param next the word after it
 * @returns whether that word was its value
 * @throws HypeError usage
 */
function putFlag(
  said: Said,
  found: Record<string, unknown>,
  short: string | undefined,
  long: string,
  attached: string | undefined,
  next: string | undefined,
): boolean {
  const { tool, cli, label, fields } = said;
  const shown = short === undefined ? `--${long}` : `-${short}`;
  const flag = short === undefined ? long : (LETTERS[short] ?? "");
  const own = (table: Readonly<Record<string, CliFlag>>) => (Object.hasOwn(table, flag) ? table[flag] : undefined);
  const meant = own(cli.flags ?? {}) ?? own(EVERYWHERE);
  if (meant === undefined && short !== undefined && !fields.some(({ name }) => name === flag))
    throw unknownFlag(said, shown);
  const text = attached ?? next;
  const needed = (): string => {
    if (text === undefined) throw usage(`${shown} wants a value`);
    return text;
  };
  if (typeof meant === "object") {
    if ("no" in meant) throw usage(`${label} has no ${shown} here: ${meant.no}`);
    if ("gives" in meant) Object.assign(found, meant.gives);
    if ("from" in meant) Object.assign(found, meant.from(needed()));
    return attached === undefined && ("from" in meant || ("skips" in meant && meant.skips === "value"));
  }
  const isNegated = flag.startsWith("no-") && !fields.some(({ name }) => named(name).startsWith(flag));
  const field = fieldNamed(label, fields, meant ?? (isNegated ? flag.slice(3) : flag));
  if (attached === undefined && field.types.includes("boolean")) {
    found[field.name] = !isNegated;
    return false;
  }
  put(tool, found, field, needed());
  return attached === undefined;
}

/** Words without a flag: the VM's name, where one is wanted, then the fields in their order. @throws HypeError usage */
function place(
  said: Said,
  places: readonly string[],
  found: Record<string, unknown>,
  { preset, vms, running }: Surroundings,
): void {
  const { tool, cli, label, fields } = said;
  const texts = [...places];
  const order = orderOf(said, found);
  const most = order.some(({ isRest }) => isRest) ? Infinity : order.length;
  const least = order.filter(({ field }) => field.isRequired).length;
  if (fields.some(({ name }) => name === "vm") && !("vm" in found)) {
    const [first] = texts;
    const only = preset ?? (running.length === 1 ? running[0] : vms.length === 1 ? vms[0] : undefined);
    const isNamed =
      preset === null
        ? first !== undefined &&
          (vms.includes(first) || texts.length > most || (only === undefined && texts.length > least))
        : first === preset && texts.length > least;
    if (isNamed) found.vm = texts.shift();
    else if (only !== undefined) found.vm = only;
    else
      throw usage(
        `${label} wants a VM${vms.length > 0 ? `: ${vms.slice(0, 10).join(", ")}` : ": there is none, /vms create NAME makes one"}`,
      );
  }
  for (const { field, isRest } of order) {
    if (texts.length === 0) break;
    if (field.types.includes("array")) for (const text of texts.splice(0)) put(tool, found, field, text);
    else put(tool, found, field, isRest ? texts.splice(0).join(" ") : (texts.shift() as string)); // as people type it
  }
  if (texts.length > 0)
    throw usage(`${label} does not know what to do with ${JSON.stringify((texts[0] as string).slice(0, 60))}`);
  const missing = order.find(({ field }) => field.isRequired && !(field.name in found))?.field;
  const unsaid = fields.find(
    ({ name, isRequired }) => isRequired && !cli.shape && !(name in { ...cli.given, ...found }),
  );
  const lacking = missing ?? unsaid;
  if (lacking) throw usage(`${label} wants ${flagOf(cli, lacking.name)}`);
}

/** What a field is called where the CLI calls it otherwise. */
const flagOf = ({ flags = {} }: CliTool, field: string): string =>
  `--${Object.entries(flags).find(([, meant]) => meant === field)?.[0] ?? named(field)}`;

type Place = { field: Field; isRest: boolean };

/** As the CLI has them; else as the schema has them, those first that must be given. */
function orderOf({ cli, isOfCli, fields }: Said, found: Record<string, unknown>): Place[] {
  const open = fields.filter(({ name }) => !(name in found));
  if (isOfCli)
    return (cli.places ?? []).flatMap((said): Place[] => {
      const [, name = "", mark] = /^(\w+)([…?]*)$/.exec(said) ?? [];
      const known = fields.find((one) => one.name === name) ?? { name, types: ["string"], items: null };
      // What the CLI wants is wanted here, too.
      const field = { ...known, isRequired: !mark?.includes("?") };
      return name in found ? [] : [{ field, isRest: Boolean(mark?.includes("…")) || field.types.includes("array") }];
    });
  const byPlace = open.filter(
    ({ name, types }) => name !== "vm" && types.some((type) => ["string", "number", "integer", "array"].includes(type)),
  );
  const must = byPlace.filter(({ isRequired }) => isRequired);
  const may = byPlace.filter(({ isRequired, name }) => !isRequired && name !== "tab");
  return [...must, ...may].map((field, at) => ({
    field,
    isRest: field.types.includes("array") || (at === must.length - 1 && field.types.includes("string")),
  }));
}
