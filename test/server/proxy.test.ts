import { afterAll, beforeAll, expect, test } from "bun:test";
import * as v from "valibot";
import { connect } from "../../src/client/client.ts";
import { maskedProxyUrl, parseProxyUrl, Proxy } from "../../src/contract/index.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
});
afterAll(() => server[Symbol.asyncDispose]());

const call = async (method: string, body?: unknown) => {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const reply = await server.call("/api/v1/vms/demo/proxy", init);
  return { status: reply.status, text: await reply.text() };
};

test("a proxy is set, shown without its password, and taken away", async () => {
  const none = { proxy: null, in_force: true };
  expect(JSON.parse((await call("GET")).text)).toEqual(none);
  const url = "socks5://ann:s3cr3t@proxy.test:1081";
  const shown = { url: "socks5://ann:***@proxy.test:1081", bypass: ["*.lan"] };
  const set = await call("PUT", { url, bypass: ["*.lan"] });
  expect(JSON.parse(set.text)).toEqual({ proxy: shown, in_force: true, browser_restarted: true });
  expect(server.engine.proxies.get("demo")?.url).toBe(url);
  const { vms } = connect({ base: server.url, key: KEY });
  expect(await vms.proxy("demo")).toEqual({ proxy: shown, in_force: true });
  expect(await vms.setProxy("demo", { url: "http://other.test" })).toMatchObject({ browser_restarted: false });
  expect(await vms.setProxy("demo", null)).toEqual({ ...none, browser_restarted: true });
});

test.each<[string, unknown, string]>([
  ["another scheme", { url: "ftp://ann:s3cr3t@proxy.test" }, '"path":"url"'],
  ["a path", { url: "http://ann:s3cr3t@proxy.test/s3cr3t" }, '"path":"url"'],
  ["no host", { url: "s3cr3t" }, '"path":"url"'],
  ["a long password", { url: `http://ann:${"s3cr3t".repeat(50)}@proxy.test` }, '"path":"url"'],
  ["a number", { url: 53 }, "must be text"],
  ["a bypass with a port", { url: "http://ann:s3cr3t@proxy.test", bypass: ["a.test:80"] }, '"path":"bypass.0"'],
  ["a field we do not know", { url: "http://ann:s3cr3t@proxy.test", s: 1 }, "not a known field"],
  ["nothing", {}, '"path":"url"'],
])("%s is refused, and the password is not repeated", async (_name, body, contains) => {
  const { status, text } = await call("PUT", body);
  expect(status).toBe(400);
  expect(text).toContain(contains);
  expect(text).not.toContain("s3cr3t");
});

test("the password stands in no log line, event or audit entry", async () => {
  await call("PUT", { url: "http://ann:s3cr3t@proxy.test:3128" });
  await server.call("/api/v1/vms", {
    method: "POST",
    body: JSON.stringify({ name: "second", proxy: { url: "http://ann:s3cr3t@proxy.test:3128" } }),
  });
  const pages = await Promise.all(
    ["events", "audit", "vms"].map(async (page) => (await server.call(`/api/v1/${page}`)).text()),
  );
  expect([...server.lines, ...pages].join("\n")).not.toContain("s3cr3t");
});

test.each([
  ["http://h", { scheme: "http", host: "h", port: 80, credentials: null }, "http://h:80"],
  ["https://h", { scheme: "https", host: "h", port: 443, credentials: null }, "https://h:443"],
  [
    "socks5h://[2001:db8::1]",
    { scheme: "socks5", host: "2001:db8::1", port: 1080, credentials: null },
    "socks5://[2001:db8::1]:1080",
  ],
  [
    "http://a%40b:c%3Ad@h:1",
    { scheme: "http", host: "h", port: 1, credentials: { user: "a@b", password: "c:d" } },
    "http://a%40b:***@h:1",
  ],
] as const)("%s is read, and masked", (url, address, masked) => {
  expect(parseProxyUrl(url)).toEqual(address);
  expect(maskedProxyUrl(url)).toBe(masked);
});

test.each([
  "",
  "h:1",
  "http://",
  "http://h:0",
  "http://h:65536",
  "http://h?x",
  "http://h#x",
  "http://a%3Ab:c@h",
  "http://%zz@h",
  "http://a%0d:b@h",
  "http://h o",
])("%j is no proxy", (url) => {
  expect(parseProxyUrl(url)).toBeNull();
  expect(v.is(Proxy, { url })).toBe(false);
  expect(maskedProxyUrl(url)).toBe("***");
});
