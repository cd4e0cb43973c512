import { SCHEMAS } from "./schema.ts";

export type SchemaName = keyof typeof SCHEMAS;
/** `unknown`: fields the original would drop in silence. `wrong`: what it could not deserialize, in its manner of speaking. */
export type Faults = { unknown: string[]; wrong: string[] };

/** Compares a body with its schema, to the last field. */
export function checkSchema(name: SchemaName, body: unknown): Faults {
  const faults: Faults = { unknown: [], wrong: [] };
  checkObject(name, body, name, faults);
  return faults;
}

function checkObject(name: SchemaName, value: unknown, path: string, faults: Faults): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return void faults.wrong.push(`invalid type at ${path}: expected struct ${name}, got ${JSON.stringify(value)}`);
  const fields: Record<string, string> = SCHEMAS[name];
  for (const [field, inner] of Object.entries(value)) {
    const type = fields[field];
    if (type === undefined) faults.unknown.push(`unknown field \`${path}.${field}\``);
    else if (inner === null && !type.endsWith("!")) continue;
    else checkType(type.replace(/!$/, ""), inner, `${path}.${field}`, faults);
  }
  for (const [field, type] of Object.entries(fields))
    if (type.endsWith("!") && !(field in value)) faults.wrong.push(`missing field \`${field}\` in ${path}`);
}

function checkType(type: string, value: unknown, path: string, faults: Faults): void {
  if (type.endsWith("[]")) {
    if (!Array.isArray(value)) faults.wrong.push(`invalid type at ${path}: expected a sequence`);
    else for (const [at, item] of value.entries()) checkType(type.slice(0, -2), item, `${path}[${at}]`, faults);
  } else if (type in SCHEMAS) checkObject(type as SchemaName, value, path, faults);
  else if (type.includes("|")) {
    if (!type.split("|").includes(value as string))
      faults.wrong.push(`unknown variant ${JSON.stringify(value)} at ${path}, expected one of ${type}`);
  } else if (type === "int") {
    // Sizes are plain unsigned integers: no fraction, no sign, no text.
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      faults.wrong.push(`invalid value at ${path}: ${JSON.stringify(value)}, expected an unsigned integer`);
  } else if (typeof value !== type)
    faults.wrong.push(`invalid type at ${path}: ${JSON.stringify(value)}, expected ${type}`);
}
