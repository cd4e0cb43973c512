import { expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { HypeError } from "../../src/contract/index.ts";
import { Qmp, type QmpEvent } from "../../src/hypervisor/qemu/qmp.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const GREETING = `${JSON.stringify({ QMP: { version: {}, capabilities: [] } })}\r\n`;
type Answer = (command: { execute: string; id: number }, socket: Socket) => void;

const reply: Answer = ({ id }, socket) => void socket.write(`${JSON.stringify({ return: {}, id })}\r\n`);

/** A peer that speaks QMP's line protocol and misbehaves on order. */
async function fakeQemu(path: string, answer: Answer, greeting = GREETING) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(greeting);
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const command = JSON.parse(line) as { execute: string; id: number };
        if (command.execute === "qmp_capabilities") reply(command, socket);
        else answer(command, socket);
      }
    });
  }).listen(path);
  await once(server, "listening");
  return {
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const failure = async (promise: Promise<unknown>): Promise<HypeError> =>
  (await promise.catch((thrown: unknown) => thrown)) as HypeError;

test("answers belong to their commands, whatever the order and the packets", async () => {
  using directory = temporaryDirectory();
  const held: (() => void)[] = [];
  using _qemu = await fakeQemu(directory.join("q"), ({ execute, id }, socket) => {
    held.push(() => {
      const text = `${JSON.stringify({ return: execute, id })}\r\n`;
      socket.write(text.slice(0, 5));
      socket.write(text.slice(5));
    });
    if (held.length === 2) for (const send of held.reverse()) send();
  });
  const qmp = await Qmp.connect(directory.join("q"), () => {});
  expect(await Promise.all([qmp.execute("first"), qmp.execute("second")])).toEqual(["first", "second"]);
  qmp.close();
});

test("QEMU's own words stand in the error", async () => {
  using directory = temporaryDirectory();
  using _qemu = await fakeQemu(directory.join("q"), ({ id }, socket) => {
    socket.write(`${JSON.stringify({ error: { class: "GenericError", desc: "no such thing" }, id })}\r\n`);
  });
  const qmp = await Qmp.connect(directory.join("q"), () => {});
  const error = await failure(qmp.execute("nonsense"));
  expect(error.code).toBe("hypervisor_failed");
  expect(error.message).toContain("no such thing");
  qmp.close();
});

test("a pending command fails when the connection ends, and `closed` settles", async () => {
  using directory = temporaryDirectory();
  using _qemu = await fakeQemu(directory.join("q"), (_command, socket) => socket.destroy());
  const qmp = await Qmp.connect(directory.join("q"), () => {});
  expect((await failure(qmp.execute("stop"))).code).toBe("hypervisor_failed");
  await qmp.closed;
});

test("events reach the listener", async () => {
  using directory = temporaryDirectory();
  const events: QmpEvent[] = [];
  using _qemu = await fakeQemu(directory.join("q"), (command, socket) => {
    socket.write(`${JSON.stringify({ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } })}\r\n`);
    reply(command, socket);
  });
  const qmp = await Qmp.connect(directory.join("q"), (event) => events.push(event));
  await qmp.execute("query-status");
  expect(events).toEqual([{ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } }]);
  qmp.close();
});

test.each([
  ["no JSON", "hello there\r\n"],
  ["a line without end", "x".repeat(1_100_000)],
])("a peer that is not QEMU is refused: %s", async (_name, greeting) => {
  using directory = temporaryDirectory();
  using _qemu = await fakeQemu(directory.join("q"), reply, greeting);
  expect((await failure(Qmp.connect(directory.join("q"), () => {}))).code).toBe("hypervisor_failed");
});

test("nobody listens: the cause tells", async () => {
  using directory = temporaryDirectory();
  const error = await failure(Qmp.connect(directory.join("nobody"), () => {}));
  expect(error.code).toBe("hypervisor_failed");
  expect((error.cause as { code?: string }).code).toBe("ENOENT");
});
