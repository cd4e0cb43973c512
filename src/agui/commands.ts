import { toJsonSchema } from "@valibot/to-json-schema";
import type { AguiOperation } from "../contract/agui.ts";
import { HypeError } from "../contract/index.ts";
import type { Tool } from "../tools/tool.ts";
import { nearMisses } from "../tools/near-miss.ts";
import { pageUrl, quantity, splitWords } from "./words.ts";

/** Commands of the CLI whose words do not say the tool's name; everything else follows from the names. A test holds it against the registry. */
export const SYNONYMS: Record<string, string> = {
  open: "browser_navigate",
  goto: "browser_navigate",
  content: "page_markdown",
  read: "page_markdown",
  eval: "browser_evaluate",
  fill: "browser_type",
  press: "browser_press_key",
  select: "browser_select_option",
  wait: "browser_wait_for",
  pdf: "browser_pdf_save",
  screenshot: "browser_take_screenshot",
  status: "host_status",
};

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

type Field = { name: string; types: string[]; isRequired: boolean; items: string | null };
type JsonSchema = {
  type?: string | string[];
  anyOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
};

const usage = (message: string): HypeError => new HypeError("usage", message);

/** Of a schema, as commands and models see it. */
const schemas = new WeakMap<Tool, JsonSchema>();
export function jsonSchemaOf(tool: Tool): JsonSchema & Record<string, unknown> {
  let schema = schemas.get(tool);
  if (!schema) {
    const { $schema: _dialect, ...rest } = toJsonSchema(tool.input as never, {
      target: "draft-2020-12",
      typeMode: "input",
      errorMode: "ignore",
    });
    schemas.set(tool, (schema = rest as JsonSchema));
  }
  return schema as JsonSchema & Record<string, unknown>;
}

function fieldsOf(tool: Tool): Field[] {
  const { properties = {}, required = [] } = jsonSchemaOf(tool);
  const typesOf = (schema: JsonSchema): string[] => [
    ...[schema.type ?? []].flat(),
    ...(schema.anyOf ?? []).flatMap(typesOf),
    ...(schema.enum ?? (schema.const === undefined ? [] : [schema.const])).map((value) => typeof value),
  ];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    types: typesOf(schema),
    isRequired: required.includes(name),
    items: schema.items ? (typesOf(schema.items)[0] ?? null) : null,
  }));
}

/**
 * `/vms create web --cpu 2`: a line as the CLI would take it, `hype` left out. The first words name the tool; then come its fields, by
 * place or as `--field value`. A field may be cut short as long as it stays clear, and takes the units of the CLI.
 * @throws HypeError usage, with what was probably meant
 */
export function parseCommand(line: string, around: Surroundings): AguiOperation {
  const words = splitWords(line.replace(/^\//, ""));
  const { tool, rest } = toolOf(words, around);
  const fields = fieldsOf(tool);
  const found: Record<string, unknown> = {};
  const places: string[] = [];
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] as string;
    if (word === "--") {
      places.push(...rest.slice(at + 1));
      break;
    }
    if (!word.startsWith("--")) {
      places.push(word);
      continue;
    }
    const [, flag = "", , given] = /^--([^=]+)(=(.*))?$/s.exec(word) ?? [];
    const isNegated = flag.startsWith("no-") && !fields.some(({ name }) => named(name).startsWith(flag));
    const field = fieldNamed(tool, fields, isNegated ? flag.slice(3) : flag);
    if (given === undefined && field.types.includes("boolean")) found[field.name] = !isNegated;
    else {
      const text = given ?? rest[++at];
      if (text === undefined) throw usage(`--${flag} wants a value`);
      put(found, field, text);
    }
  }
  place(tool, fields, places, found, around);
  return { tool: tool.name, arguments: found };
}

const singular = (word: string): string =>
  word.length > 2 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;

function toolOf(words: readonly string[], { tools }: Surroundings): { tool: Tool; rest: string[] } {
  const [first = "", second = ""] = words.map((word) => word.toLowerCase().replaceAll("-", "_"));
  const byName = (name: string) => tools.find((tool) => tool.name === name);
  const ending = (word: string) => {
    const found = tools.filter(({ name }) => name.endsWith(`_${word}`));
    return found.length === 1 ? found[0] : undefined;
  };
  const inGroup = [
    byName(`${singular(first)}_${second}`),
    byName(`${first}_${second}`),
    tools.some(({ name }) => name.startsWith(`${singular(first)}_`)) && Object.hasOwn(SYNONYMS, second)
      ? byName(SYNONYMS[second] as string)
      : undefined,
  ].find(Boolean);
  if (inGroup && second) return { tool: inGroup, rest: words.slice(2) };
  const alone = byName(first) ?? byName(SYNONYMS[first] ?? "") ?? ending(first);
  if (alone) return { tool: alone, rest: words.slice(1) };
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

const named = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");

function fieldNamed(tool: Tool, fields: readonly Field[], flag: string): Field {
  const wanted = named(flag);
  const exact = fields.find(({ name }) => named(name) === wanted);
  if (exact) return exact;
  const starting = fields.filter(({ name }) => named(name).startsWith(wanted));
  if (starting.length === 1) return starting[0] as Field;
  const all = (starting.length > 1 ? starting : fields).map(({ name }) => `--${named(name)}`).join(", ");
  throw usage(
    starting.length > 1
      ? `--${flag} could be ${all}`
      : `${commandOf(tool.name)} has no --${flag.slice(0, 40)}; it takes ${all || "nothing"}`,
  );
}

/** Fields without a flag, in the order of the schema: those that must be given first. */
function place(
  tool: Tool,
  fields: readonly Field[],
  places: readonly string[],
  found: Record<string, unknown>,
  { preset, vms, running }: Surroundings,
): void {
  const texts = [...places];
  const open = fields.filter(
    ({ name, types }) =>
      !(name in found) &&
      name !== "vm" &&
      types.some((type) => type === "string" || type === "number" || type === "integer" || type === "array"),
  );
  const must = open.filter(({ isRequired }) => isRequired);
  if (fields.some(({ name }) => name === "vm") && !("vm" in found)) {
    const only = preset ?? (running.length === 1 ? running[0] : vms.length === 1 ? vms[0] : undefined);
    const isNamed = texts.length > must.length && (preset === null || texts[0] === preset);
    if (isNamed && (only === undefined || vms.includes(texts[0] as string) || must.length + open.length === 0))
      found.vm = texts.shift();
    else if (only !== undefined) found.vm = only;
    else if (texts.length > must.length) found.vm = texts.shift();
    else
      throw usage(
        `${commandOf(tool.name)} wants a VM${vms.length > 0 ? `: ${vms.slice(0, 10).join(", ")}` : ": there is none, /vms create NAME makes one"}`,
      );
  }
  const order = [...must, ...open.filter(({ isRequired, name }) => !isRequired && name !== "tab")];
  for (const [at, field] of order.entries()) {
    if (texts.length === 0) break;
    const isLast = field.isRequired && at === must.length - 1;
    if (field.types.includes("array")) {
      for (const text of texts.splice(0)) put(found, field, text);
    } else if (isLast && field.types.includes("string") && texts.length > 1)
      put(found, field, texts.splice(0).join(" ")); // the rest of the line, as people type it
    else put(found, field, texts.shift() as string);
  }
  if (texts.length > 0)
    throw usage(
      `${commandOf(tool.name)} does not know what to do with ${JSON.stringify((texts[0] as string).slice(0, 60))}`,
    );
}

/** The text under its field, as the kind of value the field takes. @throws HypeError usage */
function put(found: Record<string, unknown>, field: Field, text: string): void {
  const { name, types, items } = field;
  if (types.includes("array")) {
    const list = (found[name] as unknown[] | undefined) ?? [];
    const isJson = text.trim().startsWith("[");
    found[name] = isJson
      ? json(name, text)
      : [...list, items === "object" ? json(name, text) : value(name, items, text)];
  } else if (types.includes("object") && !types.includes("string")) {
    const pair = /^([^={]+)=(.*)$/s.exec(text);
    found[name] = pair ? { ...(found[name] as object | undefined), [pair[1] as string]: pair[2] } : json(name, text);
  } else found[name] = value(name, types.includes("string") ? "string" : (types[0] ?? null), text);
}

function value(name: string, type: string | null, text: string): unknown {
  if (type === "number" || type === "integer") return quantity(name, text);
  if (type === "boolean") {
    if (text !== "true" && text !== "false") throw usage(`--${named(name)} is true or false`);
    return text === "true";
  }
  return name === "url" ? pageUrl(text) : text;
}

function json(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`--${named(name)} wants JSON, or key=value`);
  }
}
