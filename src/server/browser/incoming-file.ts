import * as v from "valibot";
import { invalidRequest } from "../problem.ts";

/** Of routes whose body is a file of any type and size: it is nobody's to read but whoever streams it on. */
export const fileBody = {
  parse: () => null,
  requestBody: { content: { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } } },
};

/** What is told of a file before its bytes, its length as the request has it among that. @throws HypeError invalid_request */
export function toldOf<Schema extends v.GenericSchema>(
  schema: Schema,
  request: Request,
  told: object,
): v.InferOutput<Schema> {
  const length = request.headers.get("content-length");
  const parsed = v.safeParse(schema, { ...told, ...(length !== null && { bytes: Number(length) }) });
  if (!parsed.success) throw invalidRequest("headers", parsed.issues);
  return parsed.output;
}

/** The bytes as they come; a request without a body is an empty file. */
export const bytesOf = (request: Request): AsyncIterable<Uint8Array> => request.body ?? nothing();

async function* nothing(): AsyncGenerator<Uint8Array> {}
