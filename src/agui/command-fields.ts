import { toJsonSchema } from "@valibot/to-json-schema";
import { HypeError } from "../contract/index.ts";
import type { Tool } from "../tools/tool.ts";
import { pageUrl, quantity } from "./words.ts";

/** A field of a tool, as far as a command needs to know it. */
export type Field = { name: string; types: string[]; isRequired: boolean; items: string | null };
type JsonSchema = {
  type?: string | string[];
  anyOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
};

export const usage = (message: string): HypeError => new HypeError("usage", message);

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

export function fieldsOf(tool: Tool): Field[] {
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

/** A field's name as a flag. */
export const named = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");

/**
 * The field a flag means; it may be cut short.
 * @param command as it was typed, for the message
 * @throws HypeError usage
 */
export function fieldNamed(command: string, fields: readonly Field[], flag: string): Field {
  const wanted = named(flag);
  const exact = fields.find(({ name }) => named(name) === wanted);
  if (exact) return exact;
  const starting = fields.filter(({ name }) => named(name).startsWith(wanted));
  if (starting.length === 1) return starting[0] as Field;
  const all = (starting.length > 1 ? starting : fields).map(({ name }) => `--${named(name)}`).join(", ");
  throw usage(
    starting.length > 1
      ? `--${flag} could be ${all}`
      : `${command} has no --${flag.slice(0, 40)}; it takes ${all || "nothing"}`,
  );
}

/** The text under its field, as the kind of value the field takes. @throws HypeError usage */
export function put(tool: Tool, found: Record<string, unknown>, field: Field, text: string): void {
  const { name, types, items } = field;
  if (types.includes("array")) {
    const list = (found[name] as unknown[] | undefined) ?? [];
    const isJson = text.trim().startsWith("[");
    found[name] = isJson
      ? json(name, text)
      : [...list, items === "object" ? json(name, text) : value(tool, name, items, text)];
  } else if (types.includes("object") && !types.includes("string")) {
    const pair = /^([^={]+)=(.*)$/s.exec(text);
    found[name] = pair ? { ...(found[name] as object | undefined), [pair[1] as string]: pair[2] } : json(name, text);
  } else found[name] = value(tool, name, types.includes("string") ? "string" : (types[0] ?? null), text);
}

function value(tool: Tool, name: string, type: string | null, text: string): unknown {
  if (type === "number" || type === "integer") return quantity(name, text);
  if (type === "boolean") {
    if (text !== "true" && text !== "false") throw usage(`--${named(name)} is true or false`);
    return text === "true";
  }
  return name === "url" && tool.isOpenWorld ? pageUrl(text) : text; // elsewhere it may be a pattern, or a proxy
}

function json(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`--${named(name)} wants JSON, or key=value`);
  }
}
