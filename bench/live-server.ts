import * as v from "valibot";
import { connect } from "../src/client/client.ts";
import { Evaluate, LIVE_SUBPROTOCOL, Navigate } from "../src/contract/index.ts";
import { Guest } from "../src/guest/guest.ts";
import { liveSocket } from "../src/guest/live.ts";
import { startAgent } from "../test/lib/agent.ts";
import { KEY, startTestServer } from "../test/server/harness.ts";
import { serveSite } from "../test/site/serve.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const ROUNDS = 15;
const MOVING_MS = 3_000;
const MOVING = `<!doctype html><title>Moving</title><body style="margin:0"><div id=box style="width:200px;height:200px;background:teal;position:absolute"></div>
<script>let n=0;const step=()=>{box.style.left=(n++*7%1000)+"px";requestAnimationFrame(step)};step()</script>`;
const FLIP = `<!doctype html><title>Flip</title><body style="margin:0;height:100vh;background:#fff" onmousedown="document.body.style.background=document.body.style.background.includes('255')?'#000':'#fff'">`;

type Open = () => Promise<Watcher>;
type Watcher = { send(command: object): void; picture(): Promise<void>; close(): void };

const BunWebSocket = WebSocket as unknown as new (url: string, options: object) => Bun.WebSocket;

/** One watcher that acknowledges what it sees. */
async function watcher(url: string, options: object): Promise<Watcher> {
  const socket = new BunWebSocket(url, options);
  socket.binaryType = "nodebuffer";
  let waiting: (() => void) | null = null;
  let seen = 0;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return;
    const message = data as unknown as Buffer;
    const { frame } = JSON.parse(message.toString("utf8", 4, 4 + message.readUInt32BE(0))) as { frame: number };
    socket.send(JSON.stringify({ type: "ack", frame }));
    seen += 1;
    waiting?.();
  };
  await new Promise((resolve) => (socket.onopen = resolve));
  const send = (command: object) => socket.send(JSON.stringify(command));
  return {
    send,
    async picture() {
      if (seen === 0) await new Promise<void>((resolve) => (waiting = resolve));
      seen = 0;
    },
    close: () => socket.close(),
  };
}

async function firstFrame(open: Open): Promise<number> {
  const startedAt = performance.now();
  const one = await open();
  one.send({ type: "watch" });
  await one.picture();
  one.close();
  return performance.now() - startedAt;
}

async function framesPerSecond(open: Open): Promise<number> {
  const one = await open();
  one.send({ type: "watch" });
  await one.picture();
  const startedAt = performance.now();
  let frames = 0;
  for (; performance.now() - startedAt < MOVING_MS; frames++) await one.picture();
  const seconds = (performance.now() - startedAt) / 1000;
  one.close();
  return frames / seconds;
}

async function inputToPixel(one: Watcher): Promise<number> {
  const mouse = { type: "mouse", x: 200, y: 200, button: "left", click_count: 1 };
  const startedAt = performance.now();
  one.send({ ...mouse, action: "down", buttons: 1 });
  await one.picture();
  const tookMs = performance.now() - startedAt;
  one.send({ ...mouse, action: "up", buttons: 0 });
  return tookMs;
}

/** The live view through the server, link and checks included, beside the agent's own socket; a real Chromium as a local process. */
export async function liveServer(): Promise<Row[]> {
  using site = serveSite({ "/moving": MOVING, "/flip": FLIP });
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  await using server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", guest);
  const { id, url } = await connect({ base: server.url, key: KEY }).live.createLink("demo");
  const token = new URL(url).hash.slice(1);
  const through: Open = () =>
    watcher(`${server.url.replace("http", "ws")}/live/demo/socket/${id}`, { protocols: [LIVE_SUBPROTOCOL, token] });
  const direct: Open = () => {
    const { url: at, headers } = liveSocket(guest);
    return watcher(at, { headers });
  };
  const open = (path: string) => guest.navigate(v.parse(Navigate, { url: site.origin + path }));

  await open("/flip");
  const first = { ours: [] as number[], raw: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    first.ours.push(await firstFrame(through));
    first.raw.push(await firstFrame(direct));
  }
  await open("/moving");
  const frames = { ours: [await framesPerSecond(through)], raw: [await framesPerSecond(direct)] };
  await open("/flip");
  const input = { ours: await clicks(through, guest), raw: await clicks(direct, guest) };
  const row = (what: string, { ours, raw }: { ours: number[]; raw: number[] }, goal: number, unit: string): Row => {
    const figure = median(ours);
    const isRate = unit === "/s";
    return {
      what: `live view through the server: ${what}`,
      ours: spread(ours),
      raw: spread(raw),
      figure: `${figure.toFixed(1)}${isRate ? "" : " "}${unit}`,
      target: `${isRate ? ">=" : "<="} ${goal}${isRate ? "" : " "}${unit}`,
      met: isRate ? figure >= goal : figure <= goal,
      n: ours.length,
      reason: "the machine was busy: repeat it on a quiet one",
    };
  };
  return [
    row("opening to first picture, ms", first, 300, "ms"),
    row("pictures a second of a page that moves", frames, 10, "/s"),
    row("press of a button to the picture it changes, ms", input, 200, "ms"),
  ];
}

async function clicks(open: Open, guest: Guest): Promise<number[]> {
  const one = await open();
  one.send({ type: "take" }); // the agent, who knows no control, says that it does not understand
  one.send({ type: "watch" });
  await one.picture();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push(await inputToPixel(one));
    // A page that has drawn twice since shows nothing more of this press.
    const drawn =
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))";
    await guest.evaluate(v.parse(Evaluate, { expression: drawn }));
  }
  one.send({ type: "return" });
  one.close();
  return times;
}
