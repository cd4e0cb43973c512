import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";
import { startTestServer } from "../server/harness.ts";
import { TuiWorld } from "./world.ts";

const BEEF = "018bcfe5-6800-7000-8000-00000000beef";

test.each(["before the start", "since"])(
  "another database at the same address: nothing of the old one stays (events %s)",
  async (when) => {
    await using tui = await TuiWorld.open({
      prepare: ({ engine }) => void (when === "before the start" && engine.add("old-1")),
    });
    await tui.until("●");
    if (when === "since") tui.server.engine.add("old-1");
    await tui.until("old-1");
    const port = Number(new URL(tui.server.url).port);
    await tui.server.app.stop(true);
    await tui.until("✖ offline");
    await using other = startTestServer({ port });
    other.engine.add("new-1", { id: BEEF });
    await tui.until((shown) => shown.includes("new-1") && !shown.includes("offline") && !shown.includes("old-1"));
    expect([...tui.store.state.vms.values()].map(({ name }) => name)).toEqual(["new-1"]);
  },
  60_000,
);

test("a server that stands still is shown as away long before its stream is given up, and as there when it goes on", async () => {
  await using line = stoppableLine();
  await using tui = await TuiWorld.open({
    address: line.url,
    sampleMs: 100,
    prepare: (server) => {
      line.to(Number(new URL(server.url).port));
      server.engine.add("a-1");
    },
  });
  await tui.until("a-1");
  line.hold(true);
  expect(await tui.until("✖ offline")).toContain("a-1");
  line.hold(false);
  await tui.until((frame) => frame.includes("●") && !frame.includes("offline"));
}, 60_000);

const logged = (directory: string) => {
  mkdirSync(join(directory, "a-1"));
  const file = join(directory, "a-1", "console.log");
  return (from: number, to: number) =>
    appendFileSync(file, Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}\n`).join(""));
};

/** The console of a VM whose logs stand there. */
async function consoleOf(logDir: string): Promise<TuiWorld> {
  const tui = await TuiWorld.open({
    prepare: ({ engine }) => {
      engine.logDir = logDir;
      engine.add("a-1");
    },
  });
  await tui.until("a-1");
  await tui.press("RETURN", "3");
  return tui;
}

test("a console goes on when the server is back, with what was written meanwhile, and nothing twice", async () => {
  using logs = temporaryDirectory();
  const log = logged(logs.path);
  log(1, 5);
  await using tui = await consoleOf(logs.path);
  await tui.until("line 5");
  const port = Number(new URL(tui.server.url).port);
  await tui.server.app.stop(true);
  await tui.until("✖ offline");
  log(6, 8);
  await using _back = startTestServer({ port, context: { engine: tui.server.engine } });
  await tui.until("line 8");
  log(9, 9);
  const frame = await tui.until("line 9");
  expect([...frame.matchAll(/line (\d+)/g)].map(([, number]) => Number(number))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
}, 60_000);

test("what is read in a console stays where it is while the oldest lines go", async () => {
  using logs = temporaryDirectory();
  const log = logged(logs.path);
  log(1, 1_000);
  await using tui = await consoleOf(logs.path);
  await tui.until("line 1000");
  await tui.press("k", "k", "k");
  const first = (frame: string) => /line \d+/.exec(frame.split("\n").slice(3).join("\n"))?.[0];
  const before = first(await tui.until((frame) => !frame.includes("line 1000")));
  log(1_001, 5_500);
  // 5,000 lines are kept: 500 of the 5,500 had to go.
  await tui.until(() => tui.store.state.detail?.lines?.lines.at(-1) === "line 5500");
  expect(first(await tui.until("of 5000"))).toBe(before!);
}, 60_000);

/** A TCP connection to a server that can stand still without breaking. */
function stoppableLine() {
  type Pair = { other: Bun.Socket<Pair> | null; waiting: Buffer[] };
  let port = 0;
  let isHeld = false;
  const all = new Set<Bun.Socket<Pair>>();
  const pass = (socket: Bun.Socket<Pair>) => {
    const { other, waiting } = socket.data;
    if (other && !isHeld) for (const piece of waiting.splice(0)) other.write(piece);
  };
  const handlers: Bun.SocketHandler<Pair> = {
    open: (socket) => void all.add(socket),
    data: (socket, bytes) => {
      socket.data.waiting.push(Buffer.from(bytes));
      pass(socket);
    },
    close: (socket) => {
      all.delete(socket);
      socket.data.other?.end();
    },
    error: () => {},
  };
  const server = Bun.listen<Pair>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      ...handlers,
      open: (socket) => {
        socket.data = { other: null, waiting: [] };
        all.add(socket);
        const data: Pair = { other: socket, waiting: [] };
        void Bun.connect<Pair>({ hostname: "127.0.0.1", port, socket: handlers, data }).then(
          (other) => {
            socket.data.other = other;
            pass(socket);
          },
          () => void socket.end(), // the server has ended before
        );
      },
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    to: (wanted: number) => void (port = wanted),
    hold: (held: boolean) => {
      isHeld = held;
      for (const socket of all) pass(socket);
    },
    [Symbol.asyncDispose]: async () => void server.stop(true),
  };
}
