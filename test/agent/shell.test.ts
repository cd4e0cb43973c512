import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { MAX_SHELLS, SHELL_WINDOW_BYTES } from "../../src/contract/index.ts";
import { shellSocket } from "../../src/guest/shell.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";

/** Shells of the agent, as its socket speaks: contract/shell.ts. */
setDefaultTimeout(60_000);
let agent: RunningAgent;
beforeAll(async () => {
  agent = await startAgent();
}, 60_000);
afterAll(() => agent[Symbol.asyncDispose]());

const TERMINAL = { columns: 80, rows: 24 };

/** A caller who acknowledges what comes, unless told otherwise. */
async function call(open: object | null, { acknowledges = true } = {}) {
  const { url, headers } = shellSocket(agent);
  const socket = new WebSocket(url, { headers } as never);
  socket.binaryType = "arraybuffer";
  const seen = { out: "", error: "", bytes: 0, taken: 0, code: null as number | null };
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    const before = changed;
    changed = Promise.withResolvers();
    before.resolve();
  };
  const say = (command: object | string) =>
    socket.send(typeof command === "string" ? command : JSON.stringify(command));
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      const message = JSON.parse(data) as { type: string; code: number; bytes: number };
      if (message.type === "exit") seen.code = message.code;
      else seen.taken += message.bytes;
    } else {
      const bytes = Buffer.from(data as ArrayBuffer);
      seen.bytes += bytes.length - 1;
      if (seen.bytes < 4_000_000) seen[bytes[0] === 1 ? "out" : "error"] += bytes.subarray(1).toString("latin1");
      if (acknowledges) say({ type: "ack", bytes: bytes.length - 1 });
    }
    wake();
  };
  const opened = Promise.withResolvers<boolean>();
  socket.onopen = () => opened.resolve(true);
  socket.onerror = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      opened.resolve(false);
      resolve({ code, reason });
      wake();
    };
  });
  const isOpen = await opened.promise;
  if (isOpen && open) say({ type: "open", ...open });
  return {
    socket,
    seen,
    say,
    closed,
    isOpen,
    type: (text: string | Uint8Array<ArrayBuffer>) => socket.send(typeof text === "string" ? Buffer.from(text) : text),
    async until(isDone: (now: typeof seen) => boolean): Promise<void> {
      while (!isDone(seen)) {
        if (socket.readyState === WebSocket.CLOSED) throw new Error(`closed; seen ${JSON.stringify(seen).slice(-500)}`);
        await changed.promise;
      }
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

/** The agent notices the end of a connection a moment after its caller. */
async function callOnceThereIsRoom(open: object | null) {
  for (;;) {
    const shell = await call(open);
    if (shell.isOpen) return shell;
  }
}

const script = (text: string, terminal: object | null = null) => ({ command: ["sh", "-c", text], terminal });
/** Whether a process is there and not merely waited for. */
const isAlive = (pid: string): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
/** Resolves when the process is gone. */
async function gone(pid: string): Promise<void> {
  expect(pid).toMatch(/^\d+$/);
  while (isAlive(pid)) await Bun.sleep(5);
}

describe("a terminal", () => {
  test("is one: size, TERM, echo; a resize is seen; it ends with the shell's code", async () => {
    using shell = await call({ terminal: { ...TERMINAL, columns: 101, rows: 33, term: "xterm-kitty" } });
    shell.type("stty size; test -t 0 && test -t 2 && echo term=$TERM-\n");
    await shell.until(({ out }) => out.includes("33 101") && out.includes("term=xterm-kitty-"));
    shell.say({ type: "resize", columns: 57, rows: 19 });
    shell.type("stty size\n");
    await shell.until(({ out }) => out.includes("19 57"));
    shell.type("exit 7\n");
    await shell.until(({ code }) => code === 7);
    expect(await shell.closed).toMatchObject({ code: 1000 });
  });

  test("ctrl-c ends what runs in it, not the shell", async () => {
    using shell = await call({ terminal: TERMINAL });
    shell.type("echo s''tarted; sleep 1000; echo after=$?-\n");
    await shell.until(({ out }) => out.includes("started"));
    shell.type("\u0003");
    shell.type("echo still''here\n");
    await shell.until(({ out }) => out.includes("stillhere"));
  });

  test("what was started in it ends with its socket, jobs too", async () => {
    const shell = await call({ terminal: TERMINAL });
    shell.type("trap '' HUP; (trap '' HUP; sleep 1000) & echo pid=$!-; echo me=$$-\n");
    await shell.until(({ out }) => /pid=\d+-/.test(out) && /me=\d+-/.test(out));
    const [job = "", own = ""] = [/pid=(\d+)-/, /me=(\d+)-/].map((pattern) => pattern.exec(shell.seen.out)?.[1] ?? "");
    shell.socket.close();
    await Promise.all([gone(job), gone(own)]);
  });

  test("its last words come before its code", async () => {
    using shell = await call(script("seq 1 20000; exit 3", TERMINAL));
    await shell.until(({ code }) => code !== null);
    expect(shell.seen.code).toBe(3);
    expect(shell.seen.out.trimEnd()).toEndWith("20000");
  });
});

describe("pipes", () => {
  test("bytes pass as they are, both ways; standard error apart; the end of input is seen", async () => {
    using shell = await call({ command: ["sh", "-c", "cat; echo fault >&2; exit 4"], terminal: null });
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    shell.type(bytes);
    await shell.until(({ taken }) => taken === 256);
    shell.say({ type: "end" });
    await shell.until(({ code }) => code === 4);
    expect(Buffer.from(shell.seen.out, "latin1").equals(Buffer.from(bytes))).toBe(true);
    expect(shell.seen.error).toBe("fault\n");
  });

  test("without a command it is the shell", async () => {
    using shell = await call({ terminal: null });
    shell.type("echo $((6*7))\n");
    shell.say({ type: "end" });
    await shell.until(({ code }) => code === 0);
    expect(shell.seen.out).toBe("42\n");
  });

  test.each([
    [["/nonexistent/program"], 127],
    [["/etc/passwd"], 126],
    [["sh", "-c", "kill -9 $$"], 137],
  ])("%j ends with %d", async (command, code) => {
    using shell = await call({ command, terminal: null });
    await shell.until((now) => now.code !== null);
    expect(shell.seen.code).toBe(code);
  });

  test("a signal goes to what runs", async () => {
    using shell = await call(script("trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.02; done"));
    await shell.until(({ out }) => out.includes("ready"));
    shell.say({ type: "signal", signal: "TERM" });
    await shell.until(({ code }) => code === 9);
    expect(shell.seen.out).toContain("got it");
  });

  test("what a command leaves running does not keep it open, and ends with it", async () => {
    using shell = await call(script("sleep 1000 & echo $!"));
    await shell.until(({ code }) => code === 0);
    await gone(shell.seen.out.trim());
  });
});

describe("a flood", () => {
  const rssMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent.pid}/status`, "utf8"))?.[1]) / 1024;

  test.each([
    ["a terminal", TERMINAL],
    ["pipes", null],
  ])("on %s stands still while nobody takes it, and goes on", async (_name, terminal) => {
    using shell = await call(script("exec yes", terminal), { acknowledges: false });
    await shell.until(({ bytes }) => bytes >= SHELL_WINDOW_BYTES);
    const before = rssMb();
    // A command of another shell is answered meanwhile: the agent is not busy reading what nobody takes.
    for (let round = 0; round < 20; round++) {
      using other = await call(script("sleep 0.05; echo alive"));
      await other.until(({ code }) => code === 0);
    }
    expect(shell.seen.bytes).toBeLessThan(8 * SHELL_WINDOW_BYTES);
    expect(rssMb() - before).toBeLessThan(64);
    const stood = shell.seen.bytes;
    for (let left = stood; left > 0; left -= SHELL_WINDOW_BYTES)
      shell.say({ type: "ack", bytes: Math.min(left, SHELL_WINDOW_BYTES) });
    await shell.until(({ bytes }) => bytes > stood + SHELL_WINDOW_BYTES / 2);
  });

  test("that is taken passes, in flat memory", async () => {
    const before = rssMb();
    using shell = await call(script("yes | head -c 20000000", TERMINAL));
    await shell.until(({ code }) => code === 0);
    expect(shell.seen.bytes).toBeGreaterThan(20_000_000);
    expect(rssMb() - before).toBeLessThan(64);
  });

  test("of input beyond the window ends it", async () => {
    using shell = await call(script("exec sleep 1000"));
    for (let sent = 0; sent <= 3 * SHELL_WINDOW_BYTES; sent += 32_768) shell.type(new Uint8Array(32_768));
    expect(await shell.closed).toMatchObject({ code: 1008 });
  });
});

describe("refused", () => {
  test("without the token", async () => {
    const { url } = shellSocket(agent);
    const reply = await fetch(url.replace("ws", "http"), {
      headers: {
        upgrade: "websocket",
        connection: "upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      },
    });
    expect(reply.status).toBe(401);
  });

  test("more than four at once; one that ends makes room", async () => {
    const shells = await Promise.all(
      Array.from({ length: MAX_SHELLS }, () => callOnceThereIsRoom({ terminal: TERMINAL })),
    );
    expect(shells.map(({ isOpen }) => isOpen)).toEqual(Array(MAX_SHELLS).fill(true));
    expect((await call(null)).isOpen).toBe(false);
    shells[0]!.type("exit\n");
    await shells[0]!.closed;
    using _next = await callOnceThereIsRoom({ terminal: TERMINAL });
    for (const shell of shells) shell.socket.close();
    await Promise.all(shells.map(({ closed }) => closed));
  });

  test.each([
    ["no JSON", "hello"],
    ["no command", { type: "nothing" }],
    ["another command first", { type: "resize", columns: 1, rows: 1 }],
    ["a size that is none", { type: "open", terminal: { columns: 0, rows: 24 } }],
    ["TERM with a space", { type: "open", terminal: { ...TERMINAL, term: "a b" } }],
    ["an argument with a zero byte", { type: "open", command: ["a\u0000b"], terminal: null }],
  ])("%s", async (_name, command) => {
    const shell = await callOnceThereIsRoom(null);
    shell.say(command);
    expect(await shell.closed).toMatchObject({ code: 1008 });
  });
});

test("nothing is left of them when the agent is killed", async () => {
  const own = agent;
  agent = await startAgent();
  try {
    const [terminal, pipes] = await Promise.all([
      call(script("echo pid=$$-; exec sleep 1000", TERMINAL)),
      call(script("echo pid=$$-; exec sleep 1000")),
    ]);
    const pids = await Promise.all(
      [terminal, pipes].map(async (shell) => {
        await shell.until(({ out }) => /pid=\d+-/.test(out));
        return /pid=(\d+)-/.exec(shell.seen.out)?.[1] ?? "";
      }),
    );
    await agent.kill();
    await Promise.all(pids.map(gone));
  } finally {
    agent = own;
  }
});
