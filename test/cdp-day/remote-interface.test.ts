import type { EventEmitter } from "node:events";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import CDP from "chrome-remote-interface";
import { Day } from "./day.ts";

setDefaultTimeout(60_000);
let day: Day;
let client: CDP.Client;
beforeAll(async () => {
  day = await Day.begin();
  client = await CDP({ target: day.urls.ws_url, local: true });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await day?.[Symbol.asyncDispose]();
});

test("a target of one's own: navigation, interception, input, a picture, its end", async () => {
  const { targetId } = await client.Target.createTarget({ url: "about:blank" });
  const { sessionId } = await client.Target.attachToTarget({ targetId, flatten: true });
  const send = (method: string, params: object = {}) =>
    client.send(method as "Page.enable", params as never, sessionId);
  const events = client as unknown as EventEmitter;
  const once = (event: string) => new Promise<{ requestId: string }>((done) => events.once(event, done));
  const value = async (expression: string) =>
    ((await send("Runtime.evaluate", { expression, awaitPromise: true })) as never as { result: { value: unknown } })
      .result.value;

  await send("Page.enable");
  const loaded = once(`Page.loadEventFired.${sessionId}`);
  await send("Page.navigate", { url: `${day.site.origin}/` });
  await loaded;
  const at = (await value("JSON.stringify(document.querySelector('button').getBoundingClientRect())")) as string;
  const { x, y } = JSON.parse(at) as { x: number; y: number };
  for (const type of ["mousePressed", "mouseReleased"])
    await send("Input.dispatchMouseEvent", { type, x: x + 5, y: y + 5, button: "left", clickCount: 1 });
  expect(await value("document.title")).toBe("clicked");

  await send("Fetch.enable", { patterns: [{ urlPattern: "*/data" }] });
  const paused = once(`Fetch.requestPaused.${sessionId}`);
  const answer = value("fetch('/data').then((reply) => reply.text())");
  const body = Buffer.from("from the client").toString("base64");
  await send("Fetch.fulfillRequest", { requestId: (await paused).requestId, responseCode: 200, body });
  expect(await answer).toBe("from the client");

  const { data } = (await send("Page.captureScreenshot")) as never as { data: string };
  expect(Buffer.from(data, "base64").subarray(1, 4).toString()).toBe("PNG");
  const gone = once("Target.detachedFromTarget");
  await client.Target.closeTarget({ targetId });
  await gone;
});
