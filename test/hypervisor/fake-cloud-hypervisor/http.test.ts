import { describe, expect, test } from "bun:test";
import { MINIMAL, RawClient, TestVmm } from "./vmm.ts";

const request = (line: string, body = "", headers = ""): string =>
  `${line}\r\nHost: localhost\r\n${headers}${body ? `Content-Length: ${body.length}\r\n` : ""}\r\n${body}`;
const PING = request("GET /api/v1/vmm.ping HTTP/1.1");
const padded = (bytes: number): string => {
  const config = { payload: { kernel: "/etc/passwd", cmdline: "" } };
  config.payload.cmdline = "x".repeat(bytes - JSON.stringify(config).length);
  return JSON.stringify(config);
};

const reset = (thrown: unknown): boolean => (thrown as { code?: string }).code === "ECONNRESET";

/** What the server says to a client that only connects. Bun takes an end right after the connection for none at times: once more then. */
async function saidByItself(socket: string): Promise<string> {
  for (;;) {
    try {
      using client = await RawClient.connect(socket);
      return await client.untilClosed();
    } catch (thrown) {
      if (!reset(thrown)) throw thrown;
    }
  }
}

async function pingOnce(socket: string): Promise<string> {
  try {
    using client = await RawClient.connect(socket);
    return await client.send(PING).until(/HTTP\/1\.1 \d+ /);
  } catch (thrown) {
    if (reset(thrown)) return "";
    throw thrown;
  }
}

describe("the bytes of an answer", () => {
  test("no reason phrase, keep-alive always, 204 without Content-Length, one connection for all", async () => {
    await using vmm = await TestVmm.ready();
    using client = await RawClient.connect(vmm.socket);
    const head = "Server: Cloud Hypervisor API\r\nConnection: keep-alive\r\n";
    const missing = '["Error from API","The VM info is not available","VM is not created"]';
    await client.send(request("GET /api/v1/vm.info HTTP/1.1", "", "Connection: close\r\n")).until(/\]$/);
    expect(client.text).toBe(
      `HTTP/1.1 404 \r\n${head}Content-Type: application/json\r\nContent-Length: ${missing.length}\r\n\r\n${missing}`,
    );
    client.text = "";
    await client.send(request("PUT /api/v1/vm.create HTTP/1.1", JSON.stringify(MINIMAL))).until(/\r\n\r\n$/);
    expect(client.text).toBe(`HTTP/1.1 204 \r\n${head}\r\n`);
    client.text = "";
    await client.send(request("PUT /api/v1/vmm.shutdown HTTP/1.0")).until(/\r\n\r\n$/);
    expect(client.text).toBe(`HTTP/1.1 200 \r\n${head}Content-Type: application/json\r\nContent-Length: 0\r\n\r\n`);
    expect((await vmm.end()).code).toBe(0);
  });
});

describe("what is answered with an error", () => {
  test.each([
    ["GET", "nothing.here", undefined, 404, ["Not Found"]],
    ["GET", "vmm.ping?x=1", undefined, 404, ["Not Found"]],
    ["GET", "vm.coredump", undefined, 404, ["Not Found"]],
    ["PUT", "vmm.ping", undefined, 400, ["Bad Request"]],
    ["GET", "vm.boot", undefined, 400, ["Bad Request"]],
    ["PATCH", "vm.boot", undefined, 400, null],
    ["DELETE", "vm.info", undefined, 400, null],
    ["PUT", "vm.boot", {}, 400, ["Bad Request"]],
    ["PUT", "vm.create", undefined, 400, null],
    ["PUT", "vm.resize", undefined, 400, ["Bad Request"]],
    ["PUT", "vm.create", {}, 400, ["Failed to deserialize JSON", "missing field `payload` in VmConfig"]],
    ["PUT", "vm.boot", undefined, 404, ["Error from API", "The VM could not boot", "VM config is missing"]],
    ["PUT", "vm.reboot", undefined, 404, ["Error from API", "The VM could not reboot", "VM is not created"]],
    ["PUT", "vm.pause", undefined, 500, ["Error from API", "The VM could not be paused", "VM is not running"]],
    ["PUT", "vm.shutdown", undefined, 500, ["Error from API", "The VM could not shutdown", "VM is not running"]],
  ] as [string, string, unknown, number, string[] | null][])(
    "%s %s with %p",
    async (method, name, body, status, chain) => {
      await using vmm = await TestVmm.ready();
      expect(await vmm.call(method, name, body)).toMatchObject({ status, chain });
    },
  );

  test("a body that is no JSON", async () => {
    await using vmm = await TestVmm.ready();
    const { status, chain } = await vmm.put("vm.create", "{nonsense");
    expect(status).toBe(400);
    expect(chain?.[0]).toBe("Failed to deserialize JSON");
    expect(vmm.program.violations()).toHaveLength(1);
  });

  test("up to v52 nearly all of it is 500", async () => {
    await using vmm = await TestVmm.ready({ version: "v52.0" });
    expect((await vmm.get("vm.info")).status).toBe(500);
    expect((await vmm.put("vm.boot")).status).toBe(500);
  });
});

describe("what is no HTTP to it", () => {
  test.each([
    ["a method it has not", request("POST /api/v1/vm.boot HTTP/1.1")],
    ["HTTP/2.0", request("GET /api/v1/vmm.ping HTTP/2.0")],
    ["a request line over 1024 bytes", request(`GET /api/v1/${"x".repeat(1024)} HTTP/1.1`)],
    ["a header line over 1024 bytes", request("GET /api/v1/vmm.ping HTTP/1.1", "", `X: ${"x".repeat(1024)}\r\n`)],
    ["a header without colon", request("GET /api/v1/vmm.ping HTTP/1.1", "", "nonsense\r\n")],
    ["a length that is none", request("PUT /api/v1/vm.create HTTP/1.1", "", "Content-Length: -1\r\n")],
  ])("%s: 400 and a text that is no JSON", async (_name, bytes) => {
    await using vmm = await TestVmm.ready();
    using client = await RawClient.connect(vmm.socket);
    const text = await client.send(bytes).until(/dropped\." \}$/);
    expect(text).toStartWith("HTTP/1.1 400 \r\n");
    expect(() => JSON.parse(text.split("\r\n\r\n")[1] ?? "")).toThrow();
    // The connection lives on.
    await client.send(PING).until(/HTTP\/1\.1 200 /);
  });

  test("a header line of 1024 bytes is taken", async () => {
    await using vmm = await TestVmm.ready();
    using client = await RawClient.connect(vmm.socket);
    await client.send(request("GET /api/v1/vmm.ping HTTP/1.1", "", `X: ${"x".repeat(1021)}\r\n`)).until(/200 /);
  });

  test("chunks: no body, and a request that is none", async () => {
    await using vmm = await TestVmm.ready();
    using client = await RawClient.connect(vmm.socket);
    const head = "PUT /api/v1/vm.create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    const body = JSON.stringify(MINIMAL);
    await client.send(`${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`).until(/400 [^]*400 /);
    expect((await vmm.get("vm.info")).status).toBe(404);
  });

  test.each([
    ["v53.0", 51_200, 204],
    ["v53.0", 51_201, 400],
    ["v54.0", 51_201, 204],
    ["v53.0-246-gae44c2971", 4 * 1_048_576, 204],
    ["v54.0", 4 * 1_048_576 + 1, 400],
  ])("%s and a body of %p bytes: %p", async (version, bytes, status) => {
    await using vmm = await TestVmm.ready({ version });
    const answer = await vmm.put("vm.create", padded(bytes));
    expect(answer.status).toBe(status);
    expect((await vmm.get("vm.info")).status).toBe(status === 204 ? 200 : 404);
  });
});

describe("connections", () => {
  test("ten at most, idle ones count; the eleventh gets 503 and is closed", async () => {
    await using vmm = await TestVmm.ready();
    using clients = new DisposableStack();
    for (let at = 0; at < 10; at++)
      await clients
        .use(await RawClient.connect(vmm.socket))
        .send(PING)
        .until(/200 /);
    expect(await saidByItself(vmm.socket)).toStartWith(
      "HTTP/1.1 503 \r\nServer: Cloud Hypervisor API\r\nConnection: close\r\n",
    );
    clients.dispose();
    // The server sees the ends in its own time: the first ones may come too early.
    for (let answer = ""; !answer.startsWith("HTTP/1.1 200 ");) answer = await pingOnce(vmm.socket);
  });

  test("a client that closes its writing side gets no answer", async () => {
    await using vmm = await TestVmm.ready({ calls: { "vmm.ping": { stall: true } } });
    using client = await RawClient.connect(vmm.socket);
    client.send(PING);
    await vmm.program.held(vmm.pid, "vmm.ping");
    client.halfClose();
    expect(await client.untilClosed()).toBe("");
    await vmm.program.change(vmm.pid, { calls: {} });
    await vmm.program.release(vmm.pid, "vmm.ping");
    expect((await vmm.get("vmm.ping")).status).toBe(200);
  });

  test("while vm.boot runs everything waits, ping too; then all is answered in order", async () => {
    await using vmm = await TestVmm.ready({ calls: { "vm.boot": { stall: true } } });
    await vmm.put("vm.create", MINIMAL);
    const order: string[] = [];
    const booted = vmm.put("vm.boot").then(({ status }) => order.push(`boot ${status}`));
    await vmm.program.held(vmm.pid, "vm.boot");
    const pinged = vmm.get("vmm.ping").then(({ status }) => order.push(`ping ${status}`));
    using client = await RawClient.connect(vmm.socket);
    client.send(PING);
    expect(order).toEqual([]);
    await vmm.program.release(vmm.pid, "vm.boot");
    await Promise.all([booted, pinged, client.until(/200 /)]);
    expect(order).toEqual(["boot 204", "ping 200"]);
    expect((await vmm.program.calls(vmm.pid)).map(({ path }) => path.split("/").at(-1))).toEqual([
      "vm.create",
      "vm.boot",
      "vmm.ping",
      "vmm.ping",
    ]);
  });
});
