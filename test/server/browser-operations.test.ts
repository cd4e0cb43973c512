import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { HypeError } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { parseRange } from "../../src/server/browser/range.ts";
import { BROWSER_OPERATIONS } from "../../src/server/browser/operations.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { type Pages, servePages } from "../lib/pages.ts";
import { BROWSER_BODIES } from "./browser-bodies.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: object): Promise<Response> =>
  server.call(path, { method: "POST", body: JSON.stringify(body) });

describe("every operation of the browser", () => {
  const asked: string[] = [];
  const agent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      asked.push(new URL(request.url).pathname);
      return Response.json({});
    },
  });
  afterAll(() => agent.stop(true));

  test("asks the agent for one thing, and for another than its siblings", async () => {
    server.engine.guests.set("demo", new Guest(`http://127.0.0.1:${agent.port}`, "token"));
    for (const name of Object.keys(BROWSER_OPERATIONS)) {
      const before = asked.length;
      const reply = await post(`/api/v1/vms/demo/browser/${name}`, BROWSER_BODIES[name] ?? {});
      // An answer that is not what the operation gives is the guest's fault, and never passed on.
      expect([200, 502], `${name}: ${await reply.clone().text()}`).toContain(reply.status);
      expect(asked.slice(before), name).toHaveLength(1);
    }
    expect(new Set(asked).size).toBe(Object.keys(BROWSER_OPERATIONS).length);
  });

  test.each([
    ["click", { ref: "x" }, "a ref looks like"],
    ["wait", {}, "exactly one of"],
    ["press", {}, "key"],
    ["snapshot", { depth: 1 }, "not a known field"],
  ])("%s %j is refused", async (name, body, words) => {
    const reply = await post(`/api/v1/vms/demo/browser/${name}`, body);
    expect(reply.status).toBe(400);
    expect(await reply.text()).toContain(words);
  });
});

describe("with a real browser", () => {
  let agent: RunningAgent;
  let pages: Pages;
  let client: Client;
  beforeAll(async () => {
    [agent, pages] = [await startAgent(), servePages()];
    const guest = new Guest(agent.endpoint, agent.token);
    await guest.ready(30_000);
    server.engine.guests.set("demo", guest);
    client = connect({ base: server.url, key: KEY });
  }, 40_000);
  afterAll(async () => {
    await agent[Symbol.asyncDispose]();
    pages[Symbol.dispose]();
  });

  test("a page is seen, acted on by ref, and waited for", async () => {
    const html =
      "<title>Form</title><label>Name <input></label><button onclick=\"document.title='Hello '+document.querySelector('input').value\">Greet</button>";
    await client.browser.navigate("demo", { url: `data:text/html,${encodeURIComponent(html)}` });
    const { yaml } = await client.browser.operate("demo", "snapshot", {});
    const refOf = (words: string) => new RegExp(`${words}.*\\[ref=(\\w+)\\]`).exec(yaml)?.[1];
    await client.browser.operate("demo", "fill", { ref: refOf('textbox "Name"'), text: "Ada" });
    await client.browser.operate("demo", "click", { ref: refOf('button "Greet"') });
    expect(await client.browser.operate("demo", "wait", { function: "document.title === 'Hello Ada'" })).toMatchObject({
      title: "Hello Ada",
    });
  });

  test("the agent's errors keep their code", async () => {
    const error = await client.browser
      .operate("demo", "click", { selector: "#nothing", timeout_ms: 300 })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HypeError);
    expect((error as HypeError).code).toBe("element_not_found");
  });

  test("bytes are of the type asked for", async () => {
    const pdf = await client.browser.operateForBytes("demo", "pdf", {});
    expect(new TextDecoder().decode(pdf.subarray(0, 5))).toBe("%PDF-");
  });

  test("a download is listed, read whole and in part; its bytes are never a page of ours", async () => {
    const html = "<a id=d download='a.html' href='data:text/html,<b>0123456789</b>'>get</a>";
    await client.browser.navigate("demo", { url: `data:text/html,${encodeURIComponent(html)}` });
    await client.browser.operate("demo", "click", { selector: "#d" });
    let id: string | undefined;
    while (id === undefined) id = (await client.browser.operate("demo", "list-downloads", {})).items[0]?.id;
    await client.browser.operate("demo", "get-download", { id, wait: true });
    const whole = await server.call(`/api/v1/vms/demo/browser/downloads/${id}`);
    expect(await whole.text()).toBe("<b>0123456789</b>");
    expect(whole.headers.get("content-type")).toBe("application/octet-stream");
    const part = await server.call(`/api/v1/vms/demo/browser/downloads/${id}`, { headers: { range: "bytes=3-5" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 3-5/17", "012"]);
    expect(
      (await server.call(`/api/v1/vms/demo/browser/downloads/${id}`, { headers: { range: "bytes=99-" } })).status,
    ).toBe(416);
  });

  test("what is recorded comes as a stream, and goes on by id", async () => {
    await client.browser.operate("demo", "start-observing", { kinds: ["console"] });
    await client.browser.navigate("demo", {
      url: "data:text/html,<script>console.log('first');console.log('second')</script>",
    });
    const read = async (headers: Record<string, string> = {}) => {
      const stop = new AbortController();
      const reply = await server.call("/api/v1/vms/demo/browser/entries?kinds=console", {
        headers,
        signal: stop.signal,
      });
      let text = "";
      for await (const chunk of reply.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes("second")) break;
      }
      stop.abort();
      return text;
    };
    const all = await read();
    expect(all).toContain("first");
    const firstId = /id: (\d+)\ndata: [^\n]*first/.exec(all)?.[1];
    expect(await read({ "last-event-id": firstId! })).not.toContain("first");
    await client.browser.operate("demo", "stop-observing", {});
  });

  test("cookies come back as they were set", async () => {
    const cookie = { name: "a", value: "1", domain: "a.example", path: "/" };
    await client.browser.operate("demo", "set-cookies", { cookies: [cookie] });
    expect((await client.browser.operate("demo", "get-cookies", {})).items).toMatchObject([cookie]);
    expect((await client.browser.operate("demo", "export-state", {})).cookies).toMatchObject([cookie]);
  });
});

describe("ranges", () => {
  test.each<[string | null, number | null, unknown]>([
    [null, 10, null],
    ["bytes=0-3", 10, { from: 0, to: 3 }],
    ["bytes=4-", 10, { from: 4, to: 9 }],
    ["bytes=-3", 10, { from: 7, to: 9 }],
    ["bytes=-30", 10, { from: 0, to: 9 }],
    ["bytes=5-99", 10, { from: 5, to: 9 }],
    ["bytes=5-4", 10, null],
    ["bytes=0-1,3-4", 10, null],
    ["lines=0-1", 10, null],
    ["bytes=-", 10, null],
    ["bytes=0-3", null, null],
  ])("%s of %s bytes", (header, size, range) => expect(parseRange(header, size)).toEqual(range as never));
  test("beyond the end", () => expect(() => parseRange("bytes=10-", 10)).toThrow("has 10 bytes"));
});
