import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { UNLISTED } from "./fields.ts";
import type { Tool } from "./tool.ts";

export type JsonSchema = {
  type: "object";
  properties?: Record<string, object>;
  required?: string[];
  [key: string]: unknown;
};

const cache = new Map<string, JsonSchema>();

/**
 * A tool's arguments as JSON Schema, without words that cost tokens and tell a model nothing.
 * @param withoutVm the VM is preset: the argument is not asked for
 */
export function inputSchema(tool: Tool, withoutVm: boolean): JsonSchema {
  const key = `${withoutVm ? "-" : "+"}${tool.name}`;
  let schema = cache.get(key);
  if (!schema) {
    schema = converted(tool.input, "input");
    if (withoutVm) {
      const { vm: _vm, ...properties } = schema.properties ?? {};
      const required = schema.required?.filter((name) => name !== "vm") ?? [];
      const { required: _required, ...rest } = schema;
      schema = { ...rest, properties, ...(required.length > 0 && { required }) };
    }
    cache.set(key, schema);
  }
  return schema;
}

/** What `structured` promises; null: nothing. */
export function outputSchema(tool: Tool): JsonSchema | null {
  if (!tool.output) return null;
  const key = `>${tool.name}`;
  let schema = cache.get(key);
  if (!schema) cache.set(key, (schema = converted(tool.output, "output")));
  return schema;
}

const converted = (schema: GenericSchema, typeMode: "input" | "output"): JsonSchema =>
  lean(toJsonSchema(schema, { target: "draft-2020-12", typeMode, errorMode: "ignore" })) as JsonSchema;

/** Bounds and patterns are told by the error that names them; what is left is what a caller has to know. */
const DROPPED = new Set([
  "$schema",
  "additionalProperties",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "minimum",
  "maximum",
  "default",
  "format",
]);

function lean(node: unknown, isProperties = false): unknown {
  if (Array.isArray(node)) return node.map((item) => lean(item));
  if (typeof node !== "object" || node === null) return node;
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(node)) {
    if (isProperties && (value as { description?: unknown }).description === UNLISTED) continue;
    if (!isProperties && DROPPED.has(name) && !(name === "additionalProperties" && typeof value === "object")) continue;
    if (!isProperties && name === "required" && Array.isArray(value) && value.length === 0) continue;
    kept[name] = lean(value, name === "properties" && !isProperties);
  }
  return kept;
}
