import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { KEY, startTestServer, type TestServer } from "../harness.ts";

let server: TestServer;
let demo: string;
let other: string;
beforeAll(() => {
  server = startTestServer({
    config: { trustedProxies: ["127.0.0.1/32"], allowCidr: ["127.0.0.0/8", "198.51.100.0/24"] },
  });
  demo = server.engine.add("demo").id;
  other = server.engine.add("other").id;
  for (const name of ["demo", "other"])
    server.engine.guests.set(name, { cdpJson: async () => ({ bytes: Buffer.from("{}") }) } as never);
});
afterAll(() => server[Symbol.asyncDispose]());

const code = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
  const reply = await fetch(`${server.url}${path}`, { headers });
  const text = await reply.text();
  expect(text).not.toContain(KEY);
  return reply.ok ? "ok" : (JSON.parse(text) as { code: string }).code;
};
/** Each caller of a table has its own address, so that failures of one do not count against the next. */
let callers = 0;
const from = () => ({ "x-forwarded-for": `198.51.100.${++callers}` });

describe("who is let in", () => {
  const bearer = { authorization: `Bearer ${KEY}` };
  const token = (vmId: string, ttlSeconds = 60) => server.tokens.mint(vmId, ttlSeconds).token;
  const cdp = "/api/v1/vms/demo/cdp/json/version";
  const table: [name: string, expected: string, path: () => string, headers?: Record<string, string>][] = [
    ["no key", "unauthorized", () => "/api/v1/vms"],
    ["no key, unknown route", "unauthorized", () => "/nothing/here"],
    ["no key, known VM and unknown VM look the same", "unauthorized", () => "/api/v1/vms/nobody"],
    ["key as Bearer", "ok", () => "/api/v1/vms", bearer],
    ["key as bearer, lower case", "ok", () => "/api/v1/vms", { authorization: `bearer ${KEY}` }],
    ["key in our header", "ok", () => "/api/v1/vms", { "x-overhyped-api-key": KEY }],
    [
      "wrong Bearer beside the right header",
      "ok",
      () => "/api/v1/vms",
      { authorization: "Bearer x", "x-overhyped-api-key": KEY },
    ],
    ["wrong key", "unauthorized", () => "/api/v1/vms", { authorization: `Bearer ${KEY.slice(0, -1)}j` }],
    ["key as Basic", "unauthorized", () => "/api/v1/vms", { authorization: `Basic ${btoa(`x:${KEY}`)}` }],
    ["key in the URL", "unauthorized", () => `/api/v1/vms?token=${KEY}`],
    ["key in the URL of the CDP door", "unauthorized", () => `${cdp}?token=${KEY}`],
    ["health", "ok", () => "/healthz"],
    ["readiness", "ok", () => "/readyz"],
    ["OpenAPI", "ok", () => "/openapi.json"],
    ["metrics", "unauthorized", () => "/metrics"],
    ["token on its VM's door", "ok", () => `${cdp}?token=${token(demo)}`],
    ["token on its VM's door, trailing slash", "ok", () => `${cdp}/?token=${token(demo)}`],
    ["token on its VM's door by id", "ok", () => `/api/v1/vms/${demo}/cdp/json/version?token=${token(demo)}`],
    ["token of another VM", "forbidden", () => `${cdp}?token=${token(other)}`],
    ["token of a VM that is none", "forbidden", () => `/api/v1/vms/nobody/cdp/json/version?token=${token(demo)}`],
    ["expired token", "unauthorized", () => `${cdp}?token=${token(demo, 0)}`],
    ["forged token", "unauthorized", () => `${cdp}?token=${token(demo).replace(/.$/, "_")}x`],
    ["token elsewhere", "unauthorized", () => `/api/v1/vms/demo?token=${token(demo)}`],
    ["token to mint tokens", "unauthorized", () => `/api/v1/vms/demo/cdp-token?token=${token(demo)}`],
    ["a name that points at us", "host_not_allowed", () => "/healthz", { host: "evil.example" }],
    ["a web page", "origin_not_allowed", () => "/api/v1/vms", { ...bearer, origin: "https://evil.example" }],
    ["a web page, no key", "origin_not_allowed", () => "/healthz", { origin: "https://evil.example" }],
    ["an address outside", "address_not_allowed", () => "/healthz", { "x-forwarded-for": "203.0.113.1" }],
    ["an address that is none", "address_not_allowed", () => "/healthz", { "x-forwarded-for": "localhost" }],
  ];
  for (const [name, expected, path, headers] of table)
    test(`${name}: ${expected}`, async () => expect(await code(path(), { ...from(), ...headers })).toBe(expected));

  test("a token is no key", async () => {
    expect(await code("/api/v1/vms", { ...from(), authorization: `Bearer ${token(demo)}` })).toBe("unauthorized");
  });

  test("ten wrong keys a minute, then 429; the right key is never held up", async () => {
    const address = from();
    const wrong = { ...address, authorization: "Bearer wrong" };
    for (let count = 0; count < 10; count++) expect(await code("/api/v1/vms", wrong)).toBe("unauthorized");
    const reply = await fetch(`${server.url}/api/v1/vms`, { headers: wrong });
    expect(reply.status).toBe(429);
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await code("/api/v1/vms", { ...address, authorization: `Bearer ${KEY}` })).toBe("ok");
    expect(await code("/api/v1/vms", { ...from(), authorization: "Bearer wrong" })).toBe("unauthorized");
  });

  test("no key and no token ever stands in the log", () => {
    expect(server.lines.join("")).not.toMatch(/kkkkkkk|token=/);
  });
});

test("without a known peer a list of networks lets nobody in", async () => {
  const reply = await server.app.handle(new Request("http://localhost/healthz"));
  expect(reply.status).toBe(403);
});

test("forwarded headers of a stranger are ignored", async () => {
  await using strict = startTestServer({ config: { allowCidr: ["198.51.100.0/24"] } });
  const reply = await fetch(`${strict.url}/healthz`, { headers: { "x-forwarded-for": "198.51.100.1" } });
  expect(((await reply.json()) as { code: string }).code).toBe("address_not_allowed");
});

test("bodies are not read before the key was seen", async () => {
  const reply = await fetch(`${server.url}/api/v1/vms`, {
    method: "POST",
    body: "{broken",
    headers: { ...from(), "content-type": "application/json" },
  });
  expect(reply.status).toBe(401);
});
