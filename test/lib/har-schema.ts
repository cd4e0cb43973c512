import { isIPv4, isIPv6 } from "node:net";
import Ajv, { type AnySchemaObject } from "ajv";
import draft06 from "ajv/dist/refs/json-schema-draft-06.json" with { type: "json" };

const SCHEMAS = new URL("../../node_modules/har-schema/lib/", import.meta.url).pathname;

/** @returns what is wrong with it as HTTP Archive 1.2, one line each; empty when nothing is. */
export async function harFaults(har: unknown): Promise<string[]> {
  const ajv = new Ajv({ allErrors: true, strict: false });
  ajv.addMetaSchema(draft06);
  ajv.addFormat("ipv4", isIPv4);
  ajv.addFormat("ipv6", isIPv6);
  ajv.addFormat("uri", (text: string) => URL.canParse(text));
  ajv.addFormat("date-time", (text: string) => !Number.isNaN(Date.parse(text)) && text.includes("T"));
  for (const name of new Bun.Glob("*.json").scanSync(SCHEMAS))
    ajv.addSchema((await Bun.file(SCHEMAS + name).json()) as AnySchemaObject);
  const validate = ajv.getSchema("har.json#")!;
  return validate(har) === true ? [] : validate.errors!.map((error) => `${error.instancePath} ${error.message}`);
}
