import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { AGENT_LISTENING_LINE } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";

let agent: RunningAgent;
beforeAll(async () => {
  agent = await startAgent();
  await new Guest(agent.endpoint, agent.token).ready(30_000);
}, 40_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
});

const ask = (path: string, init: RequestInit = {}, token = agent.token) =>
  fetch(agent.endpoint + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

test("it says on its console where it listens, and never its token", () => {
  expect(agent.output()).toContain(`${AGENT_LISTENING_LINE} on ${new URL(agent.endpoint).port}`);
  expect(agent.output()).not.toContain(agent.token);
});

test.each([
  ["no header", {}],
  ["another token", { authorization: "Bearer 0123456789abcdef0123456789abcdef0123456789a" }],
  ["the token without Bearer", () => ({ authorization: agent.token })],
  ["its beginning", () => ({ authorization: `Bearer ${agent.token.slice(0, 20)}` })],
  ["more than the token", () => ({ authorization: `Bearer ${agent.token}x` })],
  ["an empty one", { authorization: "Bearer " }],
])("without the token nothing answers, not even which paths there are: %s", async (_name, headers) => {
  const sent = (typeof headers === "function" ? headers() : headers) as Record<string, string>;
  for (const path of ["/v1/health", "/v1/nowhere", "/json/version", "/"]) {
    const reply = await fetch(agent.endpoint + path, { headers: sent });
    expect(reply.status).toBe(401);
    expect(await reply.json()).toEqual({ code: "unauthorized", message: expect.any(String) });
  }
});

test.each(["/devtools/browser", "/v1/health"])("a socket without the token is refused: %s", async (path) => {
  const { hostname, port } = new URL(agent.endpoint);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${btoa("0123456789abcdef")}\r\n\r\n`,
  );
  let reply = "";
  for await (const chunk of socket) reply += String(chunk);
  expect(reply).toStartWith("HTTP/1.1 401");
});

test.each<[string, string, RequestInit, number, string]>([
  ["an unknown path", "/v1/nowhere", {}, 404, "not_found"],
  ["the wrong method", "/v1/health", { method: "DELETE" }, 405, "method_not_allowed"],
  ["no JSON", "/v1/browser/evaluate", { method: "POST", body: "{" }, 400, "invalid_request"],
  ["a missing field", "/v1/browser/evaluate", { method: "POST", body: "{}" }, 400, "invalid_request"],
  ["an unknown field", "/v1/browser/content", { method: "POST", body: '{"zebra":1}' }, 400, "invalid_request"],
  ["a log that is none", "/v1/logs?source=kernel", {}, 400, "invalid_request"],
  [
    "a body too large",
    "/v1/browser/evaluate",
    { method: "POST", body: "x".repeat(9_000_000) },
    413,
    "payload_too_large",
  ],
  ["a tab that is none", "/json/close/NOPE", {}, 404, "tab_not_found"],
])("%s", async (_name, path, init, status, code) => {
  const reply = await ask(path, init);
  expect(reply.status).toBe(status);
  expect(await reply.json()).toMatchObject({ code });
});

test("an unknown field is named", async () => {
  const reply = await ask("/v1/browser/content", { method: "POST", body: '{"zebra":1}' });
  expect(((await reply.json()) as { message: string }).message).toContain("zebra");
});

test("health tells what runs, and logs tell what happened", async () => {
  const guest = new Guest(agent.endpoint, agent.token);
  expect(await guest.health()).toMatchObject({
    status: "ready",
    chromium: { ready: true, version: expect.stringMatching(/^HeadlessChrome\/\d+/), restarts: 0, last_exit: null },
  });
  expect(await guest.logs("agent")).toContain("Chromium is ready");
  expect(await guest.logs("chromium")).toContain("DevTools listening");
});

test("a new token shuts the old one out at once", async () => {
  await using other = await startAgent();
  const old = new Guest(other.endpoint, other.token);
  const token = "n".repeat(40);
  await old.identity({ token });
  expect(await old.health().catch((error) => error)).toMatchObject({ code: "guest_unreachable" });
  expect(await new Guest(other.endpoint, token).health()).toHaveProperty("agent_version");
}, 20_000);

test("power-off answers first, then the agent ends and takes its Chromium along", async () => {
  await using other = await startAgent();
  await new Guest(other.endpoint, other.token).powerOff();
  expect(await other.exited).toBe(0);
}, 20_000);

test("power-off at any moment of Chromium's start ends the agent", async () => {
  for (const ms of [0, 40, 80, 120, 160, 200, 250, 300]) {
    await using other = await startAgent();
    await Bun.sleep(ms);
    await new Guest(other.endpoint, other.token).powerOff();
    expect(await other.exited).toBe(0);
  }
}, 40_000);
