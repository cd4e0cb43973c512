import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { HypeError } from "../../src/contract/index.ts";
import { OAuth } from "../../src/server/auth/oauth.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, ERAS, INITIALIZE, newKey, post } from "./world.ts";

const AUDIENCE = "https://hype.example/mcp";
type Claims = { scope?: string; iss?: string; aud?: string; exp?: number | string; sub?: string };

/** An authorization server, as far as a resource server meets one. */
async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const stranger = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" };
  let isBroken = false;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, { port }) {
      if (isBroken) return new Response("down", { status: 503 });
      const issuer = `http://127.0.0.1:${port}`;
      const { pathname } = new URL(request.url);
      if (pathname === "/.well-known/oauth-authorization-server")
        return Response.json({ issuer, jwks_uri: `${issuer}/keys` });
      return pathname === "/keys" ? Response.json({ keys: [jwk] }) : new Response("", { status: 404 });
    },
  });
  const issuer = `http://127.0.0.1:${server.port}`;
  const token = (claims: Claims = {}, key = privateKey) =>
    new SignJWT({ scope: claims.scope ?? "openid overhyped:operate" })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setIssuer(claims.iss ?? issuer)
      .setAudience(claims.aud ?? AUDIENCE)
      .setSubject(claims.sub ?? "ada")
      .setExpirationTime(claims.exp ?? "5m")
      .sign(key);
  return {
    issuer,
    token,
    forged: () => token({}, stranger.privateKey),
    break: (broken: boolean) => void (isBroken = broken),
    [Symbol.dispose]: () => void server.stop(true),
  };
}

let issuer: Awaited<ReturnType<typeof startIssuer>>;
let server: TestServer;
beforeAll(async () => {
  issuer = await startIssuer();
  server = startTestServer({ config: { oauth: { issuer: issuer.issuer, audience: AUDIENCE } } });
  server.engine.add("demo");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  issuer[Symbol.dispose]();
});
const tryWith = (token: string) => post(server, INITIALIZE, { authorization: `Bearer ${token}` });

describe.each(ERAS)("era %s", (era) => {
  test("a token opens MCP, with the scope it holds", async () => {
    await using mcp = await connectClient(`${server.url}/mcp?tools=all`, era, { key: await issuer.token() });
    expect((await mcp.call("vm_list")).text).toContain("demo");
    await using reader = await connectClient(`${server.url}/mcp?tools=all`, era, {
      key: await issuer.token({ scope: "overhyped:read", sub: "bob" }),
    });
    const names = (await reader.client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("vm_list");
    expect(names).not.toContain("vm_delete");
  });
});

test("a renewed token goes on with the session of the first", async () => {
  const opened = await tryWith(await issuer.token());
  await opened.text();
  const id = opened.headers.get("mcp-session-id") ?? "";
  const renewed = await issuer.token({ exp: "10m" });
  const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };
  const reply = await post(server, list, { authorization: `Bearer ${renewed}`, "mcp-session-id": id });
  expect(reply.status).toBe(200);
  const other = await issuer.token({ sub: "eve" });
  expect((await post(server, list, { authorization: `Bearer ${other}`, "mcp-session-id": id })).status).toBe(404);
});

test.each([
  ["expired", () => issuer.token({ exp: Math.floor(Date.now() / 1000) - 10 }), 401],
  ["of another audience", () => issuer.token({ aud: "https://elsewhere.example" }), 401],
  ["of another issuer", () => issuer.token({ iss: "https://evil.example" }), 401],
  ["of another key", () => issuer.forged(), 401],
  [
    "without a signature",
    async () => `${btoa('{"alg":"none"}').replace(/=/g, "")}.${btoa("{}").replace(/=/g, "")}.x`,
    401,
  ],
  ["without a scope of ours", () => issuer.token({ scope: "openid email" }), 403],
])("a token %s is refused, and it is said where to get one", async (_what, make, status) => {
  const reply = await tryWith(await make());
  expect(reply.status).toBe(status);
  const said = reply.headers.get("www-authenticate") ?? "";
  expect(said).toContain(status === 401 ? 'error="invalid_token"' : 'error="insufficient_scope"');
  const where = /resource_metadata="([^"]+)"/.exec(said)?.[1] ?? "";
  expect(await (await fetch(where)).json()).toMatchObject({
    resource: AUDIENCE,
    authorization_servers: [issuer.issuer],
  });
});

test("a token opens nothing but MCP, and keys go on opening it", async () => {
  const authorization = `Bearer ${await issuer.token({ scope: "overhyped:admin" })}`;
  expect((await server.call("/api/v1/vms", { headers: { authorization } })).status).toBe(401);
  expect((await tryWith(newKey(server, { name: "plain" }))).status).toBe(200);
});

test("a token makes no live link: that would stand and fall with a key it is not, and the browser stays in nobody's hands", async () => {
  await using mcp = await connectClient(`${server.url}/mcp`, "auto", { key: await issuer.token() });
  for (const name of ["vm_live_link", "browser_take_over"]) {
    const said = await mcp.call(name, { vm: "demo" });
    expect(said).toMatchObject({ isError: true });
    expect(said.text).toContain("live links are for keys");
  }
  expect(server.engine.get("demo").control).toBeNull();
});

test("an issuer that is down is said to be, and asked again later", async () => {
  using other = await startIssuer();
  using oauth = new OAuth(other.issuer, AUDIENCE);
  other.break(true);
  const token = await other.token();
  const thrown = await oauth.identify(token).catch((reason: unknown) => reason);
  expect((thrown as HypeError).code).toBe("issuer_unavailable");
  other.break(false);
  expect((await oauth.identify(token)).scope).toBe("operate");
});

test("who came by a token ends with the last of its tokens", async () => {
  let now = Date.now();
  const oauth = new OAuth(issuer.issuer, AUDIENCE, () => now);
  const identity = await oauth.identify(await issuer.token({ exp: Math.floor(now / 1000) + 60 }));
  expect((await oauth.identify(await issuer.token({ exp: Math.floor(now / 1000) + 600 }))) === identity).toBe(true);
  expect(identity.ended.aborted).toBe(false);
  now += 3_600_000;
  oauth[Symbol.dispose]();
  expect(identity.ended.aborted).toBe(true);
});
