/**
 * Stands for a VMM with its guest: a real process that speaks the agent's minimal door. It is started in a VM's run
 * directory and reads there `stub.json` (address, mood) and `token`; its console goes to the log directory.
 * `POST /stub/…` makes it misbehave on order. Before it ends it writes into `end` what a VMM would tell of the end.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AGENT_LISTENING_LINE,
  type BrowserEvent,
  type AgentHealth,
  TOKEN_OEM_PREFIX,
} from "../../src/contract/index.ts";

export type Mood =
  | "well"
  | "dies while booting"
  | "panics while booting"
  | "powers off while booting"
  | "never listens"
  | "never ready"
  | "ignores power-off";
export type StubSettings = { hostname: string; port: number; mood: Mood; logDir: string };
export type StubEnd = "shutdown" | "panic" | "reset";

const settings = JSON.parse(readFileSync("stub.json", "utf8")) as StubSettings;
const token = readFileSync("token", "utf8").slice(TOKEN_OEM_PREFIX.length);
const say = (line: string) => appendFileSync(join(settings.logDir, "console.log"), `${line}\r\n`);
let { mood } = settings;

let restarts = 0;
let silent = false;
let clockMs: number | null = null;
let state: BrowserEvent = { type: "browser_ready", version: "Stub/1.0", restarts };
const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
const listened = Promise.withResolvers<void>();
const encode = (event: BrowserEvent) => new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`);

function enter(event: BrowserEvent): void {
  state = event;
  for (const stream of streams) stream.enqueue(encode(event));
}
function end(how: StubEnd): never {
  writeFileSync("end", how);
  process.exit(0);
}
const never = () => new Promise<Response>(() => {});
const waiting: (() => void)[] = [];
const readiness = () => (mood === "never ready" ? new Promise<void>((resolve) => waiting.push(resolve)) : undefined);

function health(): AgentHealth {
  const ready = state.type === "browser_ready";
  return {
    status: ready ? "ready" : "degraded",
    agent_version: "0.0.0",
    hostname: "stub",
    uptime_ms: Math.round(performance.now()),
    chromium: { ready, version: "Stub/1.0", pid: process.pid, restarts, last_exit: null, sandboxed: true },
    memory: { total_mb: 512, available_mb: 256 },
  };
}

function events(): Response {
  let mine: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      mine = controller;
      streams.add(controller);
      listened.resolve();
      controller.enqueue(encode(state));
    },
    cancel: () => void streams.delete(mine),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

const orders: Record<string, (body: string) => unknown> = {
  /** Answers once somebody listens to the events. */
  "be-listened-to": () => listened.promise,
  "browser-died": (reason) => {
    restarts += 1;
    enter({ type: "browser_died", reason, restarts });
  },
  "browser-ready": () => enter({ type: "browser_ready", version: "Stub/1.0", restarts }),
  "go-silent": () => {
    silent = true;
    for (const stream of streams) stream.close();
    streams.clear();
  },
  "hang-up": () => {
    for (const stream of streams) stream.close();
    streams.clear();
  },
  panic: () => end("panic"),
  reset: () => end("reset"),
  "power-off": () => end("shutdown"),
  exit: (code) => process.exit(Number(code)),
  clock: () => clockMs,
  "become-ready": () => {
    mood = "well";
    for (const resolve of waiting) resolve();
  },
};

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const order = orders[pathname.replace("/stub/", "")];
  if (order) return Response.json((await order(await request.text())) ?? null);
  if (silent) return await never();
  if (request.headers.get("authorization") !== `Bearer ${token}`)
    return Response.json({ code: "unauthorized", message: "no valid token" }, { status: 401 });
  switch (pathname) {
    case "/v1/health":
      return Response.json(health());
    case "/v1/ready":
      await readiness();
      return Response.json(health());
    case "/v1/events":
      return events();
    case "/v1/identity":
      clockMs = ((await request.json()) as { epoch_ms?: number }).epoch_ms ?? null;
      return Response.json({ hostname: "stub" });
    case "/v1/power-off":
      if (mood !== "ignores power-off") setTimeout(() => end("shutdown"), 0);
      return Response.json({}, { status: 202 });
    default:
      return Response.json({ code: "not_found", message: pathname }, { status: 404 });
  }
}

process.on("SIGTERM", () => {
  if (mood !== "ignores power-off") end("shutdown");
});
const BOOTING = "\x1b[1mstub kernel\x1b[0m booting";

switch (mood) {
  case "dies while booting":
    say(`${BOOTING}\r\nOops: no root\x07 found`);
    console.log("stub-vmm: cannot go on");
    process.exit(3);
  case "panics while booting":
    say(`${BOOTING}\r\nKernel panic - not syncing`);
    end("panic");
  case "powers off while booting":
    say(BOOTING);
    end("shutdown");
  case "never listens":
    say(BOOTING);
    setInterval(() => {}, 60_000);
    break;
  default:
    Bun.serve({ hostname: settings.hostname, port: settings.port, idleTimeout: 0, fetch: answer });
    // One write: Bun's fs.watch swallows a second event of a file within a millisecond, and the boot would wait for its next knock.
    say(`${BOOTING}\r\n${AGENT_LISTENING_LINE}`);
}
