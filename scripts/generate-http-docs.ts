/** Writes docs/http-api.md from the OpenAPI document of the real app. A test keeps it true. */
import { join } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import { loadConfig } from "../src/config/load.ts";
import { Vm } from "../src/contract/vm.ts";
import { silentLog } from "../src/log/log.ts";
import { createApp } from "../src/server/app.ts";
import { CdpTokens } from "../src/server/auth/cdp-token.ts";
import { Keys } from "../src/server/auth/keys.ts";
import type { ServerContext } from "../src/server/context.ts";
import { createMetrics } from "../src/server/metrics.ts";
import { openApiDocument } from "../src/server/openapi.ts";
import { formatted } from "./formatted.ts";

type Schema = {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  description?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
};
type Operation = {
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
};

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** Where a route stands in the page; the words before its table. */
const SECTIONS: Record<string, string> = {
  vms: "VMs",
  browser: "The browser of a VM",
  cdp: "The CDP door",
  live: "Live view and control",
  profiles: "Profiles",
  artifacts: "Artifacts",
  mcp: "MCP",
  "ag-ui": "AG-UI",
  events: "Events",
  images: "Images",
  access: "Keys and audit",
  system: "The server itself",
};

/** The routes need no rooms to be described. */
function document(): { paths: Record<string, Record<string, Operation>> } {
  const context = {
    engine: {},
    images: {},
    config: loadConfig({}),
    log: silentLog,
    keys: new Keys({ builtIn: {} }),
    audit: {},
    cdpTokens: new CdpTokens(new Uint8Array(32)),
    metrics: createMetrics({ counts: () => ({}) as never }, { usedBytes: 0 }),
    status: () => ({}),
    live: { links: {}, desk: {} },
    closing: new AbortController().signal,
  } as unknown as ServerContext;
  return openApiDocument(createApp(context)) as never;
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  const range =
    schema.minimum !== undefined || schema.maximum !== undefined
      ? ` ${schema.minimum ?? "…"}-${schema.maximum ?? "…"}`
      : schema.maxLength !== undefined
        ? `, at most ${schema.maxLength} characters`
        : "";
  return `${[schema.type ?? "anything"].flat().join(" or ")}${range}`;
}

function fields(title: string, entries: { name: string; schema: Schema; required: boolean }[]): string {
  if (entries.length === 0) return "";
  const rows = entries.map(({ name, schema, required }) => {
    const fallback =
      schema.default === undefined ? (required ? "required" : "") : `\`${JSON.stringify(schema.default)}\``;
    return `| \`${name}\` | ${cell(typeOf(schema))} | ${fallback} | ${cell(schema.description ?? "")} |`;
  });
  return `| ${title} | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join("\n")}`;
}

const ofObject = ({ properties = {}, required = [] }: Schema) =>
  Object.entries(properties).map(([name, schema]) => ({ name, schema, required: required.includes(name) }));

const vmSchema = toJsonSchema(Vm, { errorMode: "ignore" }) as Schema;
const namesOf = ({ properties = {} }: Schema): string => Object.keys(properties).join();

function replies({ responses }: Operation): string {
  const statuses = new Map<string, string[]>();
  for (const [status, { content }] of Object.entries(responses)) {
    if (status === "default") continue;
    const [[type, media] = []] = Object.entries(content ?? {});
    const words = type === undefined ? "no body" : bodyWords(type, media?.schema ?? {});
    statuses.set(words, [...(statuses.get(words) ?? []), status]);
  }
  return `Replies: ${[...statuses].map(([words, list]) => `${list.join(", ")} with ${words}`).join("; ")}.`;
}

function bodyWords(type: string, schema: Schema): string {
  if (namesOf(schema) === namesOf(vmSchema)) return "the [VM](#the-vm)";
  const names = Object.keys(schema.properties ?? {});
  return `\`${type}\`${names.length > 0 ? `: ${names.map((name) => `\`${name}\``).join(", ")}` : ""}`;
}

/** What a key must hold, from the roles of the first scheme. */
function needs({ security = [] }: Operation): string {
  const [scheme] = security as Record<string, string[]>[];
  return scheme ? ` Scope: ${Object.values(scheme).flat().join()}.` : " Needs no key.";
}

function section(method: string, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).filter(({ in: place }) => place === "query");
  const body = operation.requestBody?.content["application/json"]?.schema;
  return [
    `### ${method.toUpperCase()} ${path}`,
    `${operation.summary}.${needs(operation)}`,
    fields(
      "query",
      parameters.map(({ name, schema, required = false }) => ({ name, schema, required })),
    ),
    body ? fields("body", ofObject(body)) : "",
    replies(operation),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** The page, formatted. */
export async function renderHttpDocs(): Promise<string> {
  const operations = Object.entries(document().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const sections = Object.entries(SECTIONS).map(([tag, title]) => {
    const members = operations.filter(({ operation }) => operation.tags?.includes(tag));
    return `## ${title}\n\n${members.map(({ method, path, operation }) => section(method, path, operation)).join("\n\n")}`;
  });
  const vm = `## The VM\n\n${fields(
    "field",
    ofObject(vmSchema).map((entry) => ({ ...entry, required: false })),
  )}`;
  return await formatted("http-api.md", `${INTRODUCTION}\n${[...sections, vm].join("\n\n")}\n`);
}

const INTRODUCTION = `# The HTTP API

\`hype serve\` answers on \`http://127.0.0.1:7777\`. The same as OpenAPI 3.1 stands at \`/openapi.json\`. This page is made by
\`bun scripts/generate-http-docs.ts\`.

\`\`\`sh
KEY=$(cat ~/.overhyped/admin.key)
curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -d '{"name": "demo", "memory_mb": 1024}' http://127.0.0.1:7777/api/v1/vms
curl -H "Authorization: Bearer $KEY" -N http://127.0.0.1:7777/api/v1/events/vms
\`\`\`

- **Key**: \`Authorization: Bearer <key>\` or \`X-Overhyped-API-Key: <key>\`. Ten wrong keys a minute from one address, then 429.
- **Bodies** are JSON, at most 1 MiB. Fields and parameters that are not listed are refused by name.
- **Errors** are problem documents (RFC 9457, \`application/problem+json\`) with a stable \`code\`: see [errors](errors.md).
- **Waiting**: calls that change a VM answer when it is so (a creation: when the browser is usable). With \`?wait=false\` they
  answer at once with 202; the event stream tells the rest. Going away while waiting cancels nothing: \`DELETE\` does.
- **Who may call**: the peer must lie in \`OVERHYPED_API_ALLOW_CIDR\` when it is set, \`Host\` must name this server, and a
  web page's \`Origin\` is refused unless it is listed in \`OVERHYPED_API_HOSTS\`.
- **Streams**: events carry their \`seq\` as id; after a break send it as \`Last-Event-ID\` (or \`?after=\`) and nothing is missed.
  Comments beat every 15 s. A stream the server ends closes with an \`error\` event that says why.
- **CDP**: the door also takes \`?token=\` (\`POST …/cdp-token\`), valid for one VM and a while, so that no key stands in a URL.
  Messages of up to 256 MB pass unread. A peer that does not read is cut with 1013, a VM that goes closes with 1012 and the reason.
`;

if (import.meta.main) await Bun.write(join(import.meta.dir, "../docs/http-api.md"), await renderHttpDocs());
