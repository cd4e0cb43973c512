import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import CDP from "chrome-remote-interface";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { connect } from "../../../src/client/client.ts";
import { Guest } from "../../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../../lib/agent.ts";
import { KEY, startTestServer, type TestServer } from "../harness.ts";

/** The clients people have, unmodified, through the real server to the real agent and a real Chromium. */
let server: TestServer;
let agent: RunningAgent;
let urls: { ws_url: string; http_url: string };
const PAGE =
  "data:text/html,<title>Hello</title><h1>hello</h1><button onclick=\"document.title='clicked'\">go</button>";

beforeAll(async () => {
  agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", guest);
  urls = await connect({ base: server.url, key: KEY }).vms.cdpToken("demo");
}, 90_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await agent?.[Symbol.asyncDispose]();
});

describe("Playwright", () => {
  for (const [name, endpoint, headers] of [
    ["the WebSocket URL", () => urls.ws_url, {}],
    ["the HTTP URL with its token", () => urls.http_url, {}],
    [
      "the HTTP URL and the key in a header",
      () => urls.http_url.split("?")[0] as string,
      { authorization: `Bearer ${KEY}` },
    ],
  ] as const)
    test(`connectOverCDP with ${name}`, async () => {
      const browser = await chromium.connectOverCDP(endpoint(), { headers });
      const context = browser.contexts()[0] ?? (await browser.newContext());
      const page = await context.newPage();
      await page.goto(PAGE);
      await page.getByRole("button", { name: "go" }).click();
      expect(await page.title()).toBe("clicked");
      expect((await page.screenshot()).subarray(1, 4).toString()).toBe("PNG");
      expect((await page.evaluate(() => "x".repeat(5_000_000))).length).toBe(5_000_000);
      await page.close();
      await browser.close();
    }, 60_000);
});

test("Puppeteer by browserWSEndpoint", async () => {
  const browser = await puppeteer.connect({ browserWSEndpoint: urls.ws_url });
  const page = await browser.newPage();
  await page.goto(PAGE);
  expect(await page.title()).toBe("Hello");
  await page.close();
  await browser.disconnect();
}, 60_000);

test("chrome-remote-interface by a target's own URL", async () => {
  const { token } = await connect({ base: server.url, key: KEY }).vms.cdpToken("demo");
  const list = (await (await fetch(`${urls.http_url.split("?")[0]}/json/list?token=${token}`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const target = list.find(({ type }) => type === "page")?.webSocketDebuggerUrl as string;
  const client = await CDP({ target, local: true });
  const { result } = await client.send("Runtime.evaluate", { expression: "6 * 7" });
  expect(result.value).toBe(42);
  await client.close();
}, 60_000);

test("the browser routes drive the same browser", async () => {
  const { browser } = connect({ base: server.url, key: KEY });
  expect(await browser.navigate("demo", { url: PAGE })).toMatchObject({ title: "Hello" });
  expect((await browser.evaluate("demo", { expression: "document.title" })).value).toBe("Hello");
  expect((await browser.content("demo", { format: "text" })).content).toContain("hello");
  expect(
    Buffer.from(await browser.screenshot("demo"))
      .subarray(1, 4)
      .toString(),
  ).toBe("PNG");
  expect((await browser.tabs("demo")).items.length).toBeGreaterThan(0);
  await expect(browser.evaluate("demo", { expression: "throw new Error('no')" })).rejects.toMatchObject({
    code: "evaluation_failed",
  });
}, 60_000);

test("tabs are opened, brought forward and closed under /json", async () => {
  const call = async (path: string, method = "GET") => {
    const reply = await server.call(`/api/v1/vms/demo/cdp/json/${path}`, { method });
    return { status: reply.status, text: await reply.text() };
  };
  const opened = await call("new?about:blank", "PUT");
  const { id } = JSON.parse(opened.text) as { id: string };
  expect(await call("list").then(({ text }) => text)).toContain(id);
  expect((await call(`activate/${id}`)).status).toBe(200);
  expect((await call(`close/${id}`)).status).toBe(200);
  expect(JSON.parse((await call("close/0123456789ABCDEF")).text)).toMatchObject({ code: "tab_not_found" });
  expect((await call("protocol")).text).toContain('"domain"');
}, 60_000);
