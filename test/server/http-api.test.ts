import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type Document, replyChecker } from "./openapi-check.ts";
import { startTestServer, type TestServer } from "./harness.ts";

type Scenario = {
  name: string;
  method?: string;
  path: string;
  /** A string is sent as it is, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  status: number;
  contains?: string[];
  lacks?: string[];
  replyHeaders?: Record<string, string>;
};

const VMS = "/api/v1/vms";
const create = (name: string, body: unknown, status: number, rest: Partial<Scenario> = {}): Scenario => ({
  name: `create: ${name}`,
  method: "POST",
  path: VMS,
  body,
  status,
  ...rest,
});
const invalid = (name: string, body: unknown, contains: string[], lacks: string[] = []): Scenario =>
  create(name, body, 400, { contains: ['"code":"invalid_request"', ...contains], lacks });

const scenarios: Scenario[] = [
  { name: "list", path: VMS, status: 200, contains: ['"total":2', '"name":"demo"'] },
  { name: "list, paged", path: `${VMS}?limit=1&offset=1`, status: 200, contains: ['"name":"paused"'], lacks: ["demo"] },
  {
    name: "list: unknown parameter",
    path: `${VMS}?page=1`,
    status: 400,
    contains: ['"path":"page"', "not a known field"],
  },
  { name: "list: limit 0", path: `${VMS}?limit=0`, status: 400, contains: ["between 1 and 1000"] },
  {
    name: "list: sort by nothing we have",
    path: `${VMS}?sort=colour`,
    status: 400,
    contains: ['"path":"sort"'],
    lacks: ["colour"],
  },
  {
    name: "resize",
    method: "PATCH",
    path: `${VMS}/paused`,
    body: { memory_mb: 2048 },
    status: 200,
    contains: ['"memory_mb":2048'],
  },
  {
    name: "resize of a running VM",
    method: "PATCH",
    path: `${VMS}/demo`,
    body: { cpu_cores: 2 },
    status: 409,
    contains: ['"code":"vm_state_conflict"'],
  },
  {
    name: "resize to nothing",
    method: "PATCH",
    path: `${VMS}/paused`,
    body: {},
    status: 400,
    contains: ["must name cpu_cores, memory_mb or both"],
  },
  { name: "resize too small", method: "PATCH", path: `${VMS}/paused`, body: { memory_mb: 1 }, status: 400 },
  { name: "egress", path: `${VMS}/demo/egress`, status: 200, contains: ['"mode":"internet"', '"enforced":true'] },
  { name: "egress of no VM", path: `${VMS}/nobody/egress`, status: 404, contains: ['"code":"vm_not_found"'] },
  {
    name: "egress: another policy",
    method: "PUT",
    path: `${VMS}/demo/egress`,
    body: { mode: "open", deny: ["10.0.0.0/8", "192.0.2.7:8000-8100"] },
    status: 200,
    contains: ['"mode":"open"', '"allow":[]', "8000-8100"],
  },
  ...[
    ["a name", "example.com"],
    ["IPv6", "2001:db8::/32"],
    ["not the first address", "10.0.0.1/8"],
    ["octet 256", "10.0.0.256"],
    ["prefix 33", "10.0.0.0/33"],
    ["port 0", "10.0.0.1:0"],
    ["ports backwards", "10.0.0.1:9-8"],
    ["empty", ""],
  ].map(([what, entry]) => ({
    name: `egress: ${what}`,
    method: "PUT",
    path: `${VMS}/demo/egress`,
    body: { allow: ["10.0.0.1", entry] },
    status: 400,
    contains: ['"path":"allow.1"', "is not an IPv4 network"],
  })),
  {
    name: "egress: too many entries",
    method: "PUT",
    path: `${VMS}/demo/egress`,
    body: { allow: Array.from({ length: 10_001 }, () => "10.0.0.1") },
    status: 400,
    contains: ["at most 10000 entries"],
  },
  {
    name: "egress: unknown field",
    method: "PUT",
    path: `${VMS}/demo/egress`,
    body: { allowed: [] },
    status: 400,
    contains: ["not a known field"],
  },
  {
    name: "egress: a network that cannot",
    method: "PUT",
    path: `${VMS}/demo/egress`,
    body: { mode: "none" },
    status: 409,
    contains: ['"code":"egress_unsupported"'],
  },
  create("with a policy", { name: "walled", egress: { mode: "internet" } }, 201),
  invalid("a policy that is none", { name: "x", egress: { mode: "some" } }, ["egress.mode"]),
  create("waits and answers 201", { name: "web" }, 201, {
    replyHeaders: { location: `${VMS}/web` },
    contains: ['"status":"running"'],
  }),
  {
    ...create("wait=false answers 202", { name: "later" }, 202),
    path: `${VMS}?wait=false`,
    replyHeaders: { location: `${VMS}/later` },
  },
  { ...create("wait=maybe", { name: "x" }, 400), path: `${VMS}?wait=maybe`, contains: ["must be true or false"] },
  create("name taken", { name: "demo" }, 409, { contains: ['"code":"vm_name_taken"'] }),
  create("more memory than the host has", { name: "big", memory_mb: 200_000 }, 409, {
    contains: ['"wanted_mb":200000'],
  }),
  invalid("name missing", {}, ['"path":"name"', "is required"]),
  invalid("name empty", { name: "" }, ["must not be empty"]),
  invalid("name too long", { name: "a".repeat(64) }, ["at most 63"], ["aaaa"]),
  invalid("name in upper case", { name: "Demo" }, ["DNS label"], ["Demo"]),
  invalid("name climbs directories", { name: "../x" }, ["DNS label"], ["../x"]),
  invalid("name of 1 MB", { name: "n".repeat(1_000_000) }, ["at most 63"], ["nnnn"]),
  invalid("name is a number", { name: 7 }, ["must be text"]),
  invalid("cpu 0", { name: "x", cpu_cores: 0 }, ['"path":"cpu_cores"', "at least 1"]),
  invalid("cpu 1.5", { name: "x", cpu_cores: 1.5 }, ["whole number"]),
  invalid("memory 1", { name: "x", memory_mb: 1 }, ['"path":"memory_mb"', "at least 512"]),
  invalid("memory as text", { name: "x", memory_mb: "1024" }, ["must be a number"]),
  invalid("unknown fields", { name: "x", cpus: 2, ram: 1 }, ['"path":"cpus"', '"path":"ram"', "not a known field"]),
  invalid("unknown field of 100 KB", { name: "x", ["f".repeat(100_000)]: 1 }, ["not a known field"], ["f".repeat(200)]),
  invalid("__proto__ as a field", '{"name":"x","__proto__":{"admin":true}}', ["invalid_request"]),
  invalid("kernel_cmdline with newline", { name: "x", kernel_cmdline: "a\nb" }, ["one line"]),
  invalid("kernel_cmdline over the limit", { name: "x", kernel_cmdline: "a".repeat(2049) }, ["at most 1536"]),
  invalid("kernel_cmdline takes over init", { name: "x", kernel_cmdline: "init=/bin/sh" }, ["must not set"]),
  invalid("image climbs directories", { name: "x", image: "../../etc" }, ["image id or name"]),
  invalid("label value is a number", { name: "x", labels: { a: 1 } }, ['"path":"labels.a"', "are text"]),
  invalid("ttl 1 s", { name: "x", ttl_seconds: 1 }, ["at least 10"]),
  invalid("broken JSON", '{"name":', ["not valid JSON"]),
  invalid("a list", [1], ["invalid_request"]),
  invalid("null", "null", ["invalid_request"]),
  invalid("no body", undefined, ["the body is required"]),
  create("a form", "name=x", 415, { headers: { "content-type": "application/x-www-form-urlencoded" } }),
  create("text that is JSON", '{"name":"x"}', 415, { headers: { "content-type": "text/plain" } }),
  create("body over 1 MiB", { name: "x".repeat(1_048_577) }, 413, { contains: ['"limit_bytes":1048576'] }),
  create("a bug of ours", { name: "broken" }, 500, {
    contains: ['"code":"internal"', '"ref":"'],
    lacks: ["secret internals"],
  }),
  create("a reply that is not as described", { name: "malformed" }, 500, {
    contains: ['"code":"internal"'],
    lacks: ["cpu_cores"],
  }),
  { name: "get", path: `${VMS}/demo`, status: 200, contains: ['"name":"demo"'] },
  { name: "get by id", path: `${VMS}/018bcfe5-6800-7000-8000-000000000001`, status: 200, contains: ['"name":"demo"'] },
  { name: "get: none", path: `${VMS}/nobody`, status: 404, contains: ['"code":"vm_not_found"'] },
  { name: "get: not a name", path: `${VMS}/..%2Fx`, status: 400, contains: ["must be a VM's name or id"] },
  { name: "HEAD", method: "HEAD", path: `${VMS}/demo`, status: 200 },
  { name: "start", method: "POST", path: `${VMS}/demo/start`, status: 200 },
  { name: "stop, not waited for", method: "POST", path: `${VMS}/demo/stop?wait=false&force=true`, status: 202 },
  { name: "restart", method: "POST", path: `${VMS}/demo/restart`, status: 200 },
  { name: "pause", method: "POST", path: `${VMS}/demo/pause`, status: 200 },
  {
    name: "resume what is not paused",
    method: "POST",
    path: `${VMS}/demo/resume`,
    status: 409,
    contains: ['"code":"vm_state_conflict"'],
  },
  { name: "resume", method: "POST", path: `${VMS}/paused/resume`, status: 200 },
  { name: "delete", method: "DELETE", path: `${VMS}/later`, status: 204 },
  { name: "delete: gone already", method: "DELETE", path: `${VMS}/later`, status: 404 },
  create("a name just freed", { name: "later" }, 201),
  {
    name: "browser of a paused VM",
    path: `${VMS}/paused/browser/tabs`,
    status: 409,
    contains: ['"code":"vm_not_running"'],
  },
  {
    name: "browser: nobody answers",
    path: `${VMS}/web/browser/tabs`,
    status: 502,
    contains: ['"code":"guest_unreachable"'],
  },
  {
    name: "navigate without url",
    method: "POST",
    path: `${VMS}/demo/browser/navigate`,
    body: {},
    status: 400,
    contains: ['"path":"url"'],
  },
  {
    name: "evaluate",
    method: "POST",
    path: `${VMS}/demo/browser/evaluate`,
    body: { expression: "1+1" },
    status: 200,
    contains: ['"value":2'],
  },
  {
    name: "screenshot",
    method: "POST",
    path: `${VMS}/demo/browser/screenshot`,
    body: { format: "jpeg" },
    status: 200,
    replyHeaders: { "content-type": "image/jpeg" },
  },
  {
    name: "screenshot without a body",
    method: "POST",
    path: `${VMS}/demo/browser/screenshot`,
    status: 200,
    replyHeaders: { "content-type": "image/png" },
  },
  {
    name: "cdp token",
    method: "POST",
    path: `${VMS}/demo/cdp-token`,
    status: 200,
    contains: ['"ws_url":"ws://127.0.0.1:'],
  },
  {
    name: "cdp token for ever",
    method: "POST",
    path: `${VMS}/demo/cdp-token`,
    body: { ttl_seconds: 1e9 },
    status: 400,
  },
  {
    name: "cdp socket without upgrade",
    path: `${VMS}/demo/cdp/devtools/page/AB`,
    status: 400,
    contains: ["WebSocket"],
  },
  { name: "events, paged", path: "/api/v1/events?limit=1", status: 200, contains: ['"next":1'] },
  {
    name: "events of a type that is none",
    path: "/api/v1/events?type=VM_EATEN",
    status: 400,
    contains: ['"path":"type"'],
    lacks: ["VM_EATEN"],
  },
  {
    name: "event stream with a bad id",
    path: "/api/v1/events/vms",
    headers: { "last-event-id": "x" },
    status: 400,
    contains: ["last-event-id"],
  },
  { name: "logs of no source", path: `${VMS}/demo/logs?source=kernel`, status: 400, contains: ['"path":"source"'] },
  { name: "logs not there yet", path: `${VMS}/demo/logs`, status: 200 },
  { name: "status", path: "/api/v1/system/status", status: 200, contains: ['"cpu_cores":2'] },
  { name: "images", path: "/api/v1/images", status: 200, contains: ['"items":[{'] },
  { name: "image", path: "/api/v1/images/0123456789abcdef", status: 200, contains: ['"manifest":{'] },
  { name: "no such image", path: "/api/v1/images/nope", status: 404, contains: ['"code":"image_not_found"'] },
  { name: "healthz", path: "/healthz", headers: { authorization: "" }, status: 200, contains: ["ok"], lacks: ["vms"] },
  { name: "readyz", path: "/readyz", headers: { authorization: "" }, status: 200, contains: ["ok"], lacks: ["vms"] },
  {
    name: "metrics",
    path: "/metrics",
    status: 200,
    contains: ['hype_vms{status="running"}', "hype_http_request_seconds_bucket", "hype_artifact_bytes 0"],
  },
  { name: "unknown route", path: "/api/v2/vms", status: 404, contains: ['"code":"not_found"'] },
  {
    name: "known route, wrong method",
    method: "PUT",
    path: `${VMS}/demo`,
    status: 405,
    replyHeaders: { allow: "DELETE, GET, HEAD, PATCH" },
  },
  { name: "OPTIONS", method: "OPTIONS", path: VMS, status: 405, replyHeaders: { allow: "GET, HEAD, POST" } },
];

let server: TestServer;
let faultsOf: ReturnType<typeof replyChecker>;
let document: Document;

beforeAll(async () => {
  server = startTestServer();
  server.engine.add("demo");
  server.engine.add("paused", { status: "paused" });
  server.engine.guests.set("demo", {
    evaluate: async () => ({ tab: "T", type: "number", value: 2, description: null }),
    screenshot: async () => ({ bytes: new Uint8Array([1, 2, 3]), contentType: "text/html" }),
  } as never);
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
  faultsOf = replyChecker(document);
});
afterAll(() => server[Symbol.asyncDispose]());

describe("HTTP API", () => {
  for (const scenario of scenarios)
    test(scenario.name, async () => {
      const { method = "GET", path, body, headers = {}, status, contains = [], lacks = [] } = scenario;
      const reply = await server.call(path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await reply.text();
      expect({ status: reply.status, text }).toEqual({ status, text });
      for (const part of contains) expect(text).toContain(part);
      for (const part of lacks) expect(text).not.toContain(part);
      for (const [name, value] of Object.entries(scenario.replyHeaders ?? {}))
        expect(reply.headers.get(name)).toBe(value);
      if (status >= 400) expect(reply.headers.get("content-type")).toBe("application/problem+json");
      if (method !== "HEAD")
        expect(faultsOf(method, path, { status, type: reply.headers.get("content-type"), body: text })).toEqual([]);
    });

  test("options reach the engine", () => {
    expect(server.engine.calls).toContain("create web true");
    expect(server.engine.calls).toContain("create later false");
    expect(server.engine.calls).toContain('stop demo {"wait":false,"force":true}');
  });

  test("the cause of an internal error stands in the log under its ref, and nowhere else", async () => {
    const reply = await server.call(VMS, { method: "POST", body: '{"name":"broken"}' });
    const { ref } = (await reply.json()) as { ref: string };
    const line = server.lines.find((text) => text.includes(ref));
    expect(line).toContain("secret internals");
  });

  test("a caller who goes away does not cancel the creation", async () => {
    const away = new AbortController();
    const started = server.call(VMS, { method: "POST", body: '{"name":"slow"}', signal: away.signal });
    while (!server.engine.calls.includes("create slow true")) await new Promise((resolve) => setImmediate(resolve));
    away.abort();
    await expect(started).rejects.toThrow();
    const created = server.engine.subscribe(null, AbortSignal.timeout(5000)).next();
    server.engine.boot.resolve();
    expect((await created).value?.vm_name).toBe("slow");
  });

  test("every request is logged once, without query and key", async () => {
    const before = server.lines.length;
    await (await server.call(`${VMS}?q=findme`)).text();
    await Promise.resolve();
    const lines = server.lines.slice(before).filter((line) => line.includes('"message":"request"'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"by":"admin"');
    expect(lines[0]).not.toMatch(/findme|kkkk/);
  });

  test("the OpenAPI document is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(document as never);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  test("every route stands in the document", () => {
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = server.app.routes
      .filter(({ path }) => path !== "/openapi.json" && !path.startsWith("/.well-known/"))
      .map(({ method, path }) => `${method} ${path.replace(/:([^/]+)/g, "{$1}")}`);
    expect(described.sort()).toEqual(routes.sort());
  });
});
