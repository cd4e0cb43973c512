import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { HypeError } from "../../../src/contract/index.ts";
import { KEY, startTestServer, type TestServer } from "../harness.ts";
import { type FakeAgent, startFakeAgent } from "./fake-agent.ts";

let server: TestServer;
let agent: FakeAgent;
const VERSION = {
  Browser: "Chrome/150.0.0.0",
  "Protocol-Version": "1.3",
  webSocketDebuggerUrl: "ws://169.254.169.254/devtools/browser/0123-abcd",
};
const TARGETS = [
  {
    id: "PAGE1",
    type: "page",
    title: "<b>",
    url: "about:blank",
    webSocketDebuggerUrl: "ws://10.0.0.1/devtools/page/PAGE1",
    devtoolsFrontendUrl: "https://evil.example/?ws=x",
  },
  { id: "../../x", type: "page", webSocketDebuggerUrl: "ws://127.0.0.1:7777/api/v1/vms" },
];
const asked: string[] = [];

beforeEach(() => {
  asked.length = 0;
  agent = startFakeAgent();
  server = startTestServer();
  for (const name of ["demo", "other"]) {
    server.engine.add(name);
    server.engine.guests.set(name, {
      cdpSocket: (path: string) => ({ url: agent.url(path), headers: { authorization: "Bearer guest-token" } }),
      cdpJson: async (path: string, method: string) => {
        asked.push(`${method} ${path}`);
        const document = path === "/json/version" ? VERSION : path.startsWith("/json/new") ? TARGETS[0] : TARGETS;
        return { bytes: Buffer.from(JSON.stringify(document)), contentType: "application/json" };
      },
    } as never);
  }
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

const token = (name = "demo", ttl = 60) => server.tokens.mint(server.engine.get(name).id, ttl).token;
const door = (path = "", name = "demo") => `${server.url.replace("http", "ws")}/api/v1/vms/${name}/cdp${path}`;

/** A client's socket: `next()` gives messages in order, `closed` settles with the close. */
function open(url: string, headers: Record<string, string> = {}) {
  const socket = new (WebSocket as never as new (url: string, options: object) => Bun.WebSocket)(url, {
    headers,
    perMessageDeflate: false,
  });
  socket.binaryType = "nodebuffer";
  const arrived: (string | Buffer)[] = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    arrived.push(data as string | Buffer);
    wake();
  };
  socket.onerror = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  const opened = new Promise<boolean>((resolve) => {
    socket.onopen = () => resolve(true);
    void closed.then(() => resolve(false));
  });
  return {
    socket,
    opened,
    closed,
    async next(): Promise<string | Buffer> {
      while (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return arrived.shift() as string | Buffer;
    },
  };
}
const openWithToken = (path = "") => open(`${door(path)}?token=${token()}`);

describe("discovery", () => {
  test("the caller's token is carried over, and no URL of the guest's is passed on", async () => {
    const mine = token();
    const host = new URL(server.url).host;
    const version = await (await fetch(`${server.url}/api/v1/vms/demo/cdp/json/version/?token=${mine}`)).json();
    expect(version).toEqual({
      ...VERSION,
      webSocketDebuggerUrl: `ws://${host}/api/v1/vms/demo/cdp/devtools/browser/0123-abcd?token=${mine}`,
    });
    const list = await (await fetch(`${server.url}/api/v1/vms/demo/cdp/json/list?token=${mine}`)).text();
    expect(JSON.parse(list)[0]).toMatchObject({
      title: "<b>",
      webSocketDebuggerUrl: `ws://${host}/api/v1/vms/demo/cdp/devtools/page/PAGE1?token=${mine}`,
    });
    expect(list).not.toMatch(/evil\.example|10\.0\.0\.1|cdp\/devtools\/page\/\.\./);
    expect(JSON.parse(list)[1]).toEqual({ id: "../../x", type: "page" });
  });

  test("a caller with a key gets a token that works, never the key", async () => {
    const reply = await (await server.call("/api/v1/vms/demo/cdp/json/version")).text();
    expect(reply).not.toContain(KEY);
    const client = open(JSON.parse(reply).webSocketDebuggerUrl);
    client.socket.onopen = () => client.socket.send("hi");
    expect(await client.next()).toBe("hi");
    client.socket.close();
  });

  test("a tab is opened with the caller's URL and without its token", async () => {
    await fetch(`${server.url}/api/v1/vms/demo/cdp/json/new?https://example.com/?a=b&token=${token()}`, {
      method: "PUT",
    });
    await fetch(`${server.url}/api/v1/vms/demo/cdp/json/new?token=${token()}&about:blank`, { method: "PUT" });
    expect(asked).toEqual(["PUT /json/new?https://example.com/?a=b", "PUT /json/new?about:blank"]);
  });
});

describe("sockets", () => {
  for (const [path, expected] of [
    ["", "/devtools/browser"],
    ["/devtools/browser", "/devtools/browser"],
    ["/devtools/browser/0123-abcd", "/devtools/browser/0123-abcd"],
    ["/devtools/page/PAGE1", "/devtools/page/PAGE1"],
  ] as const)
    test(`cdp${path} reaches the agent's ${expected} with the guest's token`, async () => {
      const client = openWithToken(path);
      expect(await client.opened).toBe(true);
      expect(agent.sockets[0]).toMatchObject({ path: expected, authorization: "Bearer guest-token" });
      client.socket.close();
    });

  test("text stays text and binary stays binary, in order", async () => {
    const client = openWithToken();
    await client.opened;
    const sent = ["{}", Buffer.from([0, 255, 1]), "", "é🙂", Buffer.alloc(0), "last"];
    for (const frame of sent) client.socket.send(frame);
    for (const frame of sent) expect(await client.next()).toEqual(frame);
    client.socket.close();
  });

  test("what the agent says first is not lost", async () => {
    const client = openWithToken("/devtools/page/greeting");
    expect(await client.next()).toBe("hello first");
    client.socket.close();
  });

  test("100 MB go across in one message", async () => {
    const client = openWithToken();
    await client.opened;
    client.socket.send("x".repeat(100 * 1024 * 1024));
    const echoed = (await client.next()) as string;
    expect(echoed.length).toBe(100 * 1024 * 1024);
    client.socket.close();
  }, 30_000);

  test("a message over the limit closes the socket, not the server", async () => {
    const client = openWithToken();
    await client.opened;
    client.socket.send("x".repeat(257 * 1024 * 1024));
    expect((await client.closed).code).toBeGreaterThanOrEqual(1006);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  }, 30_000);

  const fromAgent: [order: string, expected: { code: number; reason: string }][] = [
    ["close 1000 done", { code: 1000, reason: "done" }],
    ["close 4321 my own reason", { code: 4321, reason: "my own reason" }],
    ["close 1011 oops", { code: 1011, reason: "oops" }],
    ["vanish", { code: 1011, reason: "the connection to the browser was lost" }],
  ];
  for (const [order, expected] of fromAgent)
    test(`the agent's "${order}" arrives`, async () => {
      const client = openWithToken();
      await client.opened;
      client.socket.send(order);
      expect(await client.closed).toEqual(expected);
    });

  const fromClient: [
    name: string,
    close: (socket: Bun.WebSocket) => void,
    expected: { code: number; reason: string },
  ][] = [
    ["a code and a reason", (socket) => socket.close(3456, "bye"), { code: 3456, reason: "bye" }],
    ["nothing", (socket) => socket.close(), { code: 1000, reason: "" }],
    ["a lost connection", (socket) => socket.terminate(), { code: 1001, reason: "the client went away" }],
  ];
  for (const [name, close, expected] of fromClient)
    test(`a client's close with ${name} arrives at the agent`, async () => {
      const client = openWithToken();
      await client.opened;
      close(client.socket);
      await agent.until(() => agent.closes.length > 0);
      expect(agent.closes).toEqual([expected]);
    });

  test("a VM that goes closes its sockets with the reason, others stay", async () => {
    const client = openWithToken();
    const other = open(`${door("", "other")}?token=${token("other")}`);
    await Promise.all([client.opened, other.opened]);
    server.engine.gone.get("demo")?.abort(new HypeError("vm_not_running", "demo crashed: kernel panic"));
    expect(await client.closed).toEqual({ code: 1012, reason: "the VM is gone: demo crashed: kernel panic" });
    other.socket.send("still here");
    expect(await other.next()).toBe("still here");
    other.socket.close();
  });

  test("a server that shuts down says so", async () => {
    const client = openWithToken();
    await client.opened;
    server.shutDown.abort();
    expect(await client.closed).toEqual({ code: 1001, reason: "the server is shutting down" });
  });

  const refused: [name: string, url: () => string, status: number, headers?: Record<string, string>][] = [
    ["no key", () => door(), 401],
    ["a wrong key", () => door(), 401, { authorization: "Bearer wrong" }],
    ["another VM's token", () => `${door()}?token=${token("other")}`, 403],
    ["an expired token", () => `${door()}?token=${token("demo", 0)}`, 401],
    ["a web page's origin", () => `${door()}?token=${token()}`, 403, { origin: "https://evil.example" }],
    ["a VM that is none", () => door("", "nobody"), 404, { authorization: `Bearer ${KEY}` }],
    ["a target the agent does not have", () => door("/devtools/page/missing"), 502, { authorization: `Bearer ${KEY}` }],
    ["a path that climbs", () => door("/devtools/page/..%2f..%2fx"), 400, { authorization: `Bearer ${KEY}` }],
  ];
  for (const [name, url, status, headers = {}] of refused)
    test(`${name} is refused with ${status} and reaches no agent`, async () => {
      const reply = await fetch(url().replace("ws", "http"), {
        headers: {
          ...headers,
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
      });
      expect(reply.status).toBe(status);
      expect(reply.headers.get("content-type")).toBe("application/problem+json");
      expect(agent.sockets).toHaveLength(0);
    });

  test("no socket is counted after all are closed", async () => {
    const client = openWithToken();
    await client.opened;
    expect(await (await server.call("/metrics")).text()).toContain("hype_cdp_sockets 1");
    client.socket.close();
    await client.closed;
    expect(await (await server.call("/metrics")).text()).toContain("hype_cdp_sockets 0");
  });
});

describe("backpressure", () => {
  /** A raw client of a server with little patience, that reads nothing after the handshake. */
  async function silentClient(patient: TestServer) {
    const socket = connectTcp(Number(new URL(patient.url).port), "127.0.0.1");
    socket.on("error", () => {});
    const { id } = patient.engine.get("demo");
    socket.write(
      `GET /api/v1/vms/demo/cdp?token=${patient.tokens.mint(id, 60).token} HTTP/1.1\r\nHost: localhost\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    return socket;
  }
  const impatient = () => {
    const other = startTestServer({ context: { cdpBufferBytes: 8 * 1024 * 1024 } });
    other.engine.rows.set("demo", server.engine.get("demo"));
    other.engine.gone.set("demo", new AbortController());
    other.engine.guests = server.engine.guests;
    return other;
  };
  const MEGABYTE = "x".repeat(1024 * 1024);

  test("a client that does not read is cut with 1013 once too much waits for it", async () => {
    await using other = impatient();
    const socket = await silentClient(other);
    for (let sent = 0; sent < 32; sent++) agent.sockets[0]?.ws.send(MEGABYTE);
    await agent.until(() => agent.closes.length > 0);
    expect(agent.closes).toEqual([{ code: 1001, reason: "the client does not read" }]);
    let last = Buffer.alloc(0);
    for await (const chunk of socket.resume()) last = Buffer.concat([last, chunk]).subarray(-64);
    const reason = "the client does not read";
    expect(last.subarray(-reason.length).toString()).toBe(reason);
    expect(last.readUInt16BE(last.length - reason.length - 2)).toBe(1013);
  }, 30_000);

  test("a client that reads slowly but surely is not cut", async () => {
    await using other = impatient();
    const socket = await silentClient(other);
    for (let sent = 0; sent < 8; sent++) agent.sockets[0]?.ws.send(MEGABYTE);
    agent.sockets[0]?.ws.send("the end");
    let last = "";
    for await (const chunk of socket.resume()) {
      last = (last + chunk.toString("latin1")).slice(-64);
      if (last.endsWith("the end")) break;
    }
    socket.destroy();
    await agent.until(() => agent.closes.length > 0);
    expect(agent.closes).toEqual([{ code: 1001, reason: "the client went away" }]);
  }, 30_000);
});
