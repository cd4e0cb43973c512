/**
 * Tries connections from wherever it runs. Standard input: one probe a line, as JSON; standard output: one word each.
 * An answer's first word is who answered; `refused`: an error came back; `silent`: nothing did within the time given.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";

export type Probe =
  | { kind: "tcp" | "udp" | "icmp"; to: string; port?: number; waitMs?: number; from?: string }
  /** A connection that stays: `open` makes it, `use` sends over it. */
  | { kind: "open" | "use"; to: string; port: number; waitMs?: number }
  /** A datagram that is answered later: `knock` sends it, `heard` says how many answers came. */
  | { kind: "knock" | "heard"; to: string; port: number };

type ConnectProbe = { to: string; port?: number; waitMs?: number; from?: string };

let heard = 0;

async function knock(to: string, port: number): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", () => heard++);
  socket.on("error", () => {});
  await new Promise((sent) => socket.send("later", port, to, sent));
  return "sent";
}

const kept = new Map<string, Socket>();

const withTime = (waitMs = 1500) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("silent"), waitMs);
  return { promise: promise.finally(() => clearTimeout(timer)), resolve };
};

async function exchange(socket: Socket, waitMs?: number): Promise<string> {
  const { promise, resolve } = withTime(waitMs);
  const gone = () => resolve("refused");
  socket.once("data", (bytes) => resolve(String(bytes).split(" ")[0]!));
  socket.once("close", gone);
  if (socket.destroyed) gone();
  else socket.write("hello");
  return await promise;
}

async function tcp({ to, port = 0, waitMs, from }: ConnectProbe, keep: boolean): Promise<string> {
  const { promise, resolve } = withTime(waitMs);
  const socket = connect({ host: to, port, ...(from ? { localAddress: from } : {}) });
  socket.once("connect", () => resolve("connected"));
  socket.on("error", () => resolve("refused"));
  const outcome = await promise;
  const answer = outcome === "connected" ? await exchange(socket, waitMs) : outcome;
  if (keep && outcome === "connected") kept.set(`${to} ${port}`, socket);
  else socket.destroy();
  return answer;
}

async function udp({ to, port = 0, waitMs }: ConnectProbe): Promise<string> {
  const { promise, resolve } = withTime(waitMs);
  const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
  socket.on("message", (bytes) => resolve(String(bytes).split(" ")[0]!));
  socket.on("error", () => resolve("refused"));
  socket.connect(port, to, () => socket.send("hello", () => {}));
  return await promise.finally(() => socket.close());
}

/** An echo request through a raw socket (icmp(7)); the answer is waited for by the kernel. */
function icmp({ to, waitMs = 700 }: ConnectProbe): string {
  const { i32, u32, u64, i64, ptr: pointer } = FFIType;
  const libc = dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
    sendto: { args: [i32, pointer, u64, i32, pointer, u32], returns: i64 },
    recv: { args: [i32, pointer, u64, i32], returns: i64 },
    close: { args: [i32], returns: i32 },
  }).symbols;
  const socket = libc.socket(2, 3, 1); // AF_INET, SOCK_RAW, IPPROTO_ICMP
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(waitMs * 1000), 8);
  libc.setsockopt(socket, 1, 20, ptr(time), 16); // SO_RCVTIMEO
  const address = Buffer.from([2, 0, 0, 0, ...to.split(".").map(Number), 0, 0, 0, 0, 0, 0, 0, 0]);
  const request = Buffer.from([8, 0, 0, 0, 0x12, 0x34, 0, 1]);
  request.writeUInt16BE(0xffff - (0x0800 + 0x1234 + 1), 2);
  libc.sendto(socket, ptr(request), request.length, 0, ptr(address), 16);
  const reply = Buffer.alloc(1500);
  for (;;) {
    const bytes = Number(libc.recv(socket, ptr(reply), reply.length, 0));
    if (bytes < 28) {
      libc.close(socket);
      return "silent";
    }
    const isOurs = reply[20] === 0 && reply.readUInt16BE(24) === 0x1234;
    if (isOurs || reply[20] === 3) {
      libc.close(socket);
      return isOurs ? "echo" : "refused";
    }
  }
}

async function answer(probe: Probe): Promise<string> {
  switch (probe.kind) {
    case "tcp":
      return await tcp(probe, false);
    case "open":
      return await tcp(probe, true);
    case "use": {
      const socket = kept.get(`${probe.to} ${probe.port}`);
      return socket ? await exchange(socket, probe.waitMs) : "none";
    }
    case "udp":
      return await udp(probe);
    case "icmp":
      return icmp(probe);
    case "knock":
      return await knock(probe.to, probe.port);
    case "heard":
      return String(heard);
  }
}

if (import.meta.main)
  for await (const line of console) {
    const outcome = await answer(JSON.parse(line) as Probe);
    process.stdout.write(`${outcome}\n`);
  }
