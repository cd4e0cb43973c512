import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import CDP from "chrome-remote-interface";
import { chromium } from "playwright-core";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { type Pages, servePages } from "../lib/pages.ts";

let agent: RunningAgent;
let pages: Pages;
let guest: Guest;
beforeAll(async () => {
  pages = servePages();
  agent = await startAgent();
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
}, 40_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  pages[Symbol.dispose]();
});

type Client = AsyncDisposable & {
  socket: WebSocket;
  call(method: string, params?: object): Promise<Record<string, unknown>>;
  closed: Promise<{ code: number; reason: string }>;
};

/** A DevTools client with nothing but a socket. */
async function open(path: string, from: Guest = guest): Promise<Client> {
  const { url, headers } = from.cdpSocket(path);
  const socket = new WebSocket(url, { headers } as never); // Bun's own option; the DOM's types do not know it
  const pending = new Map<number, (message: { result: Record<string, unknown> }) => void>();
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
  );
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data));
    pending.get(message.id)?.(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`${path} did not open`)));
  });
  let id = 0;
  return {
    socket,
    closed,
    call: (method, params = {}) =>
      new Promise((resolve) => {
        pending.set(++id, ({ result }) => resolve(result));
        socket.send(JSON.stringify({ id, method, params }));
      }),
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}

const firstTab = async (): Promise<string> => (await guest.tabs()).items[0]!.id;
const evaluated = (reply: Record<string, unknown>) => (reply as { result: { value: unknown } }).result.value;

describe("discovery", () => {
  test("addresses name the door the caller used, and nothing else is touched", async () => {
    const headers = { authorization: `Bearer ${agent.token}` };
    const door = new URL(agent.endpoint).host;
    const version = (await (await fetch(`${agent.endpoint}/json/version`, { headers })).json()) as Record<
      string,
      string
    >;
    expect(version.webSocketDebuggerUrl).toStartWith(`ws://${door}/devtools/browser/`);
    const tabs = (await (await fetch(`${agent.endpoint}/json/list`, { headers })).json()) as Record<string, string>[];
    expect(tabs[0]!.webSocketDebuggerUrl).toBe(`ws://${door}/devtools/page/${tabs[0]!.id}`);
    expect(await (await fetch(`${agent.endpoint}/json`, { headers })).json()).toEqual(tabs);
  });
  test("a tab is opened, brought to the front and closed", async () => {
    const opened = JSON.parse(
      new TextDecoder().decode((await guest.cdpJson(`/json/new?${pages.origin}/`, "PUT")).bytes),
    );
    expect(opened.url).toBe(`${pages.origin}/`);
    await guest.cdpJson(`/json/activate/${opened.id}`);
    await guest.cdpJson(`/json/close/${opened.id}`);
    expect((await guest.cdpJson("/json/protocol")).bytes.length).toBeGreaterThan(100_000);
  });
});

describe("clients", () => {
  test("chrome-remote-interface", async () => {
    const { webSocketDebuggerUrl } = JSON.parse(new TextDecoder().decode((await guest.cdpJson("/json/version")).bytes));
    // It cannot send headers: a relay that adds the token stands in for the server here.
    using relay = withToken(new URL(webSocketDebuggerUrl));
    const client = await CDP({ target: relay.url(webSocketDebuggerUrl), local: true });
    const { targetInfos } = await client.Target.getTargets({});
    expect(targetInfos.some(({ type }) => type === "page")).toBe(true);
    await client.close();
  });

  test("Playwright: connectOverCDP, a page, a script, a screenshot", async () => {
    const browser = await chromium.connectOverCDP(agent.endpoint, {
      headers: { authorization: `Bearer ${agent.token}` },
    });
    try {
      const page = await browser.newPage();
      page.on("dialog", (dialog) => dialog.accept()); // its dialogs are its own: we do not answer them
      await page.goto(`${pages.origin}/`);
      expect(await page.title()).toBe("Home");
      expect(await page.evaluate(() => confirm("sure?"))).toBe(true);
      expect((await page.screenshot()).subarray(1, 4).toString()).toBe("PNG");
    } finally {
      await browser.close();
    }
  }, 20_000);
});

describe("sockets", () => {
  test("the short form is the browser that runs now", async () => {
    await using client = await open("/devtools/browser");
    expect(await client.call("Browser.getVersion")).toHaveProperty("product");
  });

  test("20 MB there and back, whole", async () => {
    await using client = await open(`/devtools/page/${await firstTab()}`);
    const text = "0123456789abcdef".repeat((20 * 1024 * 1024) / 16);
    const reply = await client.call("Runtime.evaluate", { expression: `'${text}'` });
    expect(evaluated(reply)).toBe(text);
  }, 20_000);

  test("a close reaches Chromium, and its own answer comes back", async () => {
    const client = await open("/devtools/browser");
    client.socket.close(4001, "enough");
    expect(await client.closed).toEqual({ code: 1000, reason: "" }); // what Chromium answers to any code
  });

  test("a tab that is closed says so", async () => {
    const opened = JSON.parse(new TextDecoder().decode((await guest.cdpJson("/json/new?about:blank", "PUT")).bytes));
    const client = await open(`/devtools/page/${opened.id}`);
    await guest.cdpJson(`/json/close/${opened.id}`);
    expect(await client.closed).toEqual({ code: 1001, reason: "the tab was closed" });
  });

  test("a Chromium that dies says so, and the next one answers on the same door", async () => {
    await using other = await startAgent();
    const there = new Guest(other.endpoint, other.token);
    const { chromium: before } = await there.ready(30_000);
    const client = await open("/devtools/browser", there);
    await client.call("Browser.getVersion");
    process.kill(-before.pid!, "SIGKILL");
    expect(await client.closed).toEqual({ code: 1012, reason: expect.stringContaining("SIGKILL") });
    const events = there.events(AbortSignal.timeout(20_000));
    for await (const event of events) if (event.type === "browser_ready" && event.restarts === 1) break;
    await using again = await open("/devtools/browser", there);
    expect(await again.call("Browser.getVersion")).toHaveProperty("product");
  }, 40_000);

  test.each(["/devtools/page/NOPE", "/devtools/browser/00000000-0000-0000-0000-000000000000"])(
    "what is not there does not open: %s",
    async (path) => {
      await expect(open(path)).rejects.toThrow("did not open");
    },
  );

  test("a client that stops reading stops Chromium, fills no memory, and loses nothing", async () => {
    const tab = await firstTab();
    const stalled = await rawClient(`/devtools/page/${tab}`);
    const before = residentMb(agent.pid);
    const messages = 8;
    for (let i = 0; i < messages; i++)
      stalled.send(`{"id":${i + 1},"method":"Runtime.evaluate","params":{"expression":"'x'.repeat(10*1024*1024)"}}`);
    // The page has made them all when this one, sent last to the same page over another socket, is answered.
    await using witness = await open(`/devtools/page/${tab}`);
    await witness.call("Runtime.evaluate", { expression: "1" });
    expect(residentMb(agent.pid) - before).toBeLessThan(40);
    expect(await stalled.readBytes(messages * 10 * 1024 * 1024)).toBe(true);
    stalled.end();
  }, 30_000);
});

const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

/** A WebSocket client that reads only when told to. */
async function rawClient(path: string) {
  const { hostname, port } = new URL(agent.endpoint);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${agent.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${btoa("0123456789abcdef")}\r\n\r\n`,
  );
  const head = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  expect(head.toString()).toStartWith("HTTP/1.1 101");
  socket.pause();
  return {
    /** Masked with zeros: the payload as it is. */
    send(text: string) {
      const payload = Buffer.from(text);
      socket.write(
        Buffer.concat([Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]), payload]),
      );
    },
    readBytes(count: number): Promise<boolean> {
      let left = count;
      return new Promise((resolve) => {
        socket.on("data", (chunk) => (left -= chunk.length) <= 0 && resolve(true));
        socket.on("close", () => resolve(false));
        socket.resume();
      });
    },
    end: () => void socket.destroy(),
  };
}

/** Adds the token to whatever passes: the smallest stand-in for the server's own relay. */
function withToken(door: URL): Disposable & { url(of: string): string } {
  const listener = Bun.listen<{ to: ReturnType<typeof connect> }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const to = connect(Number(door.port), door.hostname);
        socket.data = { to };
        to.on("data", (chunk) => void socket.write(chunk));
        to.on("close", () => void socket.end());
      },
      data(socket, chunk) {
        const text = chunk.toString("latin1");
        const line = text.startsWith("GET ") ? text.indexOf("\r\n") + 2 : 0;
        if (line > 0)
          socket.data.to.write(`${text.slice(0, line)}Authorization: Bearer ${agent.token}\r\n${text.slice(line)}`);
        else socket.data.to.write(chunk);
      },
      close: (socket) => void socket.data.to.destroy(),
    },
  });
  return {
    url: (of) => of.replace(door.host, `127.0.0.1:${listener.port}`),
    [Symbol.dispose]: () => listener.stop(true),
  };
}
