import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "@ag-ui/proto";
import { SealedHome } from "../test/lib/hype.ts";
import type { Row } from "./lib/row.ts";
import { quantile, spread } from "./lib/statistics.ts";

const WATCHERS = 200;
const EVENTS = 200;
/** A server's life is long: what its code costs before it is compiled does not count. */
const WARM_UP = 20;
const RUN_EVENTS = 1_000;
const SETTLE_MS = 3_000;
const PROTOBUF = "application/vnd.ag-ui.event+proto";

type Server = { url: string; key: string; pid: number };
/** Bytes as they come, until it says that it has seen enough. */
type Stream = { next(): Promise<Uint8Array | null>; end(): Promise<void> };

/** 200 runs that only watch: how soon all of them know of an event, beside the plain event stream; and whole runs in both encodings. */
export async function agui(): Promise<Row[]> {
  await using home = new SealedHome();
  const first = await home.serve(); // makes the database
  await first.stop();
  addStoppedVm(join(home.path, "state", "state.db"));
  const server = await home.serve();
  await touch(server, 0);
  await Bun.sleep(SETTLE_MS);
  const before = residentMb(server.pid);
  const ours = await latencies(server, () => watch(server));
  const raw = await latencies(server, () => feed(server));
  const grown = ours.residentMb - before;
  const p99 = quantile(ours.timesMs, 0.99);
  return [
    {
      what: `event to all of ${WATCHERS} idle /watch runs`,
      ours: `${spread(ours.timesMs)} ms`,
      raw: `${spread(raw.timesMs)} ms (GET /events/vms)`,
      figure: `p99 ${p99.toFixed(1)} ms`,
      target: "<= 50 ms p99",
      met: p99 <= 50,
      n: EVENTS,
    },
    {
      what: `RSS of ${WATCHERS} idle /watch runs`,
      ours: `+${grown.toFixed(1)} MB`,
      raw: `before ${before.toFixed(1)} MB`,
      figure: `+${grown.toFixed(1)} MB`,
      target: "<= +40 MB",
      met: grown <= 40,
      n: 1,
    },
    ...(await Promise.all((["text/event-stream", PROTOBUF] as const).map((accept) => whole(server, accept)))),
  ];
}

/** From the call that causes an event until the last of all streams has told it. */
async function latencies(server: Server, open: () => Promise<Stream>) {
  const streams = await Promise.all(Array.from({ length: WATCHERS }, open));
  try {
    await Bun.sleep(SETTLE_MS);
    const rss = residentMb(server.pid);
    const timesMs: number[] = [];
    for (let nth = 1 - WARM_UP; nth <= EVENTS; nth++) {
      const told = Promise.all(streams.map((stream) => until(stream, `"memory_mb":${sizeMb(nth)}`)));
      const startedAt = performance.now();
      await touch(server, nth);
      await told;
      if (nth > 0) timesMs.push(performance.now() - startedAt);
    }
    return { timesMs, residentMb: rss };
  } finally {
    await Promise.all(streams.map((stream) => stream.end()));
  }
}

/** One run of a watch that is told 1,000 events: their numbers must follow each other. */
async function whole(server: Server, accept: string): Promise<Row> {
  const stream = await watch(server, accept);
  const startedAt = performance.now();
  const seen: number[] = [];
  const reading = (async () => {
    let rest: Buffer = Buffer.alloc(0);
    while (seen.length < RUN_EVENTS) {
      const bytes = await stream.next();
      if (bytes === null) break;
      rest = Buffer.concat([rest, bytes]);
      const { events, left } = accept === PROTOBUF ? frames(rest) : lines(rest);
      rest = left;
      for (const event of events)
        if (event.type === "CUSTOM" && event.name === "overhyped.vm.resized")
          seen.push((event.value as { seq: number }).seq);
    }
  })();
  for (let nth = 0; nth < RUN_EVENTS; nth++) await touch(server, nth % EVENTS);
  await reading;
  await stream.end();
  const gaps = seen.filter((seq, at) => at > 0 && seq !== (seen[at - 1] as number) + 1).length;
  return {
    what: `${RUN_EVENTS} events in one run, ${accept === PROTOBUF ? "protobuf" : "server-sent events"}`,
    ours: `${(performance.now() - startedAt).toFixed(0)} ms`,
    raw: "-",
    figure: `${seen.length} seen, ${gaps} gaps`,
    target: "no gap",
    met: gaps === 0 && seen.length >= RUN_EVENTS,
    n: 1,
  };
}

type Told = { type: string; name?: unknown; value?: unknown };
function lines(bytes: Buffer): { events: Told[]; left: Buffer } {
  const end = bytes.lastIndexOf("\n\n");
  if (end < 0) return { events: [], left: bytes };
  const blocks = bytes.subarray(0, end).toString().split("\n\n");
  const events = blocks
    .filter((block) => block.startsWith("data: "))
    .map((block) => JSON.parse(block.slice(6)) as Told);
  return { events, left: bytes.subarray(end + 2) };
}
function frames(bytes: Buffer): { events: Told[]; left: Buffer } {
  const events: Told[] = [];
  let at = 0;
  while (bytes.length - at >= 4 && bytes.length - at - 4 >= bytes.readUInt32BE(at)) {
    const length = bytes.readUInt32BE(at);
    events.push(decode(bytes.subarray(at + 4, at + 4 + length)) as Told);
    at += 4 + length;
  }
  return { events, left: bytes.subarray(at) };
}

async function watch(server: Server, accept = "text/event-stream"): Promise<Stream> {
  const body = { threadId: crypto.randomUUID(), runId: "bench", messages: [], forwardedProps: { watch: true } };
  const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json", accept };
  const stream = streamOf(await fetch(`${server.url}/agui`, { method: "POST", headers, body: JSON.stringify(body) }));
  await stream.next();
  return stream;
}
async function feed(server: Server): Promise<Stream> {
  const stream = streamOf(
    await fetch(`${server.url}/api/v1/events/vms`, { headers: { authorization: `Bearer ${server.key}` } }),
  );
  await stream.next();
  return stream;
}

function streamOf(reply: Response): Stream {
  if (!reply.ok || !reply.body) throw new Error(`the server answered ${reply.status}`);
  const reader = reply.body.getReader();
  return {
    next: async () => (await reader.read()).value ?? null,
    end: () => reader.cancel(),
  };
}

async function until(stream: Stream, text: string): Promise<void> {
  for (let seen = ""; !seen.includes(text);) {
    const bytes = await stream.next();
    if (bytes === null) throw new Error("the stream ended");
    seen += Buffer.from(bytes).toString();
  }
}

const sizeMb = (nth: number): number => 1_000 + nth;

/** Makes an event, by the real engine: another size of a VM that does not run. */
async function touch({ url, key }: Server, nth: number): Promise<void> {
  const reply = await fetch(`${url}/api/v1/vms/bench`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ memory_mb: sizeMb(nth) }),
  });
  if (!reply.ok) throw new Error(`the server answered ${reply.status}: ${await reply.text()}`);
}

function addStoppedVm(path: string): void {
  using database = new Database(path);
  const at = new Date().toISOString();
  const id = Bun.randomUUIDv7();
  database.transaction(() => {
    database.run("pragma defer_foreign_keys = on");
    database.run("insert into leases (ip, vm_id, leased_at) values ('192.168.127.2', ?, ?)", [id, at]);
    database.run(
      `insert into vms (id, name, status, generation, cpu_cores, memory_mb, image, labels, ip_address, created_at, updated_at)
       values (?, 'bench', 'stopped', 1, 1, 1024, 'bench', '{}', '192.168.127.2', ?, ?)`,
      [id, at, at],
    );
  })();
}

/** Resident set of a process, MB (proc_pid_status(5)). */
const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024;
