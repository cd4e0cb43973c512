import { toOpenAPISchema } from "@elysiajs/openapi/openapi";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { AnyElysia } from "elysia";
import type * as v from "valibot";
import { Problem } from "../contract/problem.ts";
import { VERSION } from "../contract/version.ts";
import { ROUTE_SCOPES } from "./auth/scopes.ts";

const jsonSchema = (schema: v.GenericSchema): Record<string, unknown> => {
  const { $schema: _dialect, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore",
  });
  return rest;
};

type Operation = {
  requestBody?: { content: Record<string, unknown>; required?: boolean };
  responses?: Record<string, { description?: string; content?: unknown }>;
  security?: unknown[];
};

/** The OpenAPI 3.1 document of an app, from the schemas its routes are validated with. */
export function openApiDocument(app: AnyElysia): Record<string, unknown> {
  const { paths } = toOpenAPISchema(app, undefined, undefined, { valibot: jsonSchema }) as {
    paths: Record<string, Record<string, Operation>>;
  };
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      finish(operation);
      const scope = ROUTE_SCOPES[`${method.toUpperCase()} ${path.replace(/\{([^}]+)\}/g, ":$1")}`];
      // For schemes other than OAuth the list names roles (OpenAPI 3.1, section 4.8.30): ours are scopes.
      if (scope) operation.security = [{ bearer: [scope] }, { header: [scope] }];
    }
  return {
    openapi: "3.1.1",
    info: {
      title: "OVERHYPED",
      version: VERSION,
      description: "A private browser cloud on your own machine: every browser alone in its own microVM.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ bearer: [] }, { header: [] }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(Problem) },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        header: { type: "apiKey", in: "header", name: "X-Overhyped-API-Key" },
      },
    },
  };
}

/** Bodies are JSON only (the plugin lists forms, too), and every operation can answer with a problem document. */
function finish(operation: Operation): void {
  const json = operation.requestBody?.content["application/json"];
  if (operation.requestBody && json) operation.requestBody.content = { "application/json": json };
  delete operation.responses?.["204"]?.content; // no body has no schema
  operation.responses = {
    ...(operation.responses ?? { 200: { description: "JSON", content: { "application/json": {} } } }),
    default: {
      description: "Problem document (RFC 9457)",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  };
}
