import { join } from "node:path";
import * as v from "valibot";
import { connect } from "../src/client/client.ts";
import { Evaluate, Navigate } from "../src/contract/index.ts";
import { Guest } from "../src/guest/guest.ts";
import { startAgent } from "../test/lib/agent.ts";
import { watchMemory } from "../test/lib/memory.ts";
import { temporaryDirectory } from "../test/lib/temporary.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const BYTES = 1024 ** 3;
const ROUNDS = 3;
/** What a process needs for its first transfers of all does not count: a server's life is long. */
const WARM_UP = 20;
const WARM_UP_BYTES = 1024 ** 2;
const GOAL = 0.5;
/** Pieces that the garbage collector has not come to yet; a tenth of one file. */
const GOAL_MB = 100;

type Way = "up" | "down";
type Transfer = () => Promise<string>;
type Growth = ReturnType<typeof watchMemory>;

/**
 * A file of 1 GiB into the guest and out of it through the server's API, beside the same file through two processes of plain Bun HTTP,
 * a relay and one that stores and hashes it; turn about. Each time the hash of what arrived is compared. The memory of each process
 * stands beside that of its plain counterpart.
 */
export async function transfers(): Promise<Row[]> {
  using directory = temporaryDirectory();
  const source = directory.join("source");
  const sha256 = await write(source);
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const gateway = spawn("gateway-server.ts", agent.endpoint, agent.token);
  const bareStore = spawn("bare-files.ts", "store", directory.path);
  const stored = `http://127.0.0.1:${(await firstOf(bareStore)).trim()}`;
  const bareRelay = spawn("bare-files.ts", "relay", stored);
  try {
    const { url, key } = JSON.parse(await firstOf(gateway)) as { url: string; key: string };
    const relay = `http://127.0.0.1:${(await firstOf(bareRelay)).trim()}`;
    const { browser } = connect({ base: url, key });
    const download = await downloadOf(guest, source);
    const ways: Record<Way, { ours: Transfer; raw: Transfer }> = {
      up: {
        ours: async () => (await browser.upload("bench", "big", Bun.file(source))).sha256,
        raw: async () => {
          const response = await fetch(`${relay}/copy`, { method: "PUT", body: Bun.file(source) });
          return ((await response.json()) as { sha256: string }).sha256;
        },
      },
      down: {
        ours: async () => await hashOf((await browser.download("bench", download)).bytes),
        raw: async () => await hashOf((await fetch(`${relay}/source`)).body!),
      },
    };
    const rates = { up: { ours: [], raw: [] }, down: { ours: [], raw: [] } } as Record<
      Way,
      Record<"ours" | "raw", number[]>
    >;
    for (let call = 0; call < WARM_UP; call++) {
      await browser.upload("bench", "small", Bun.file(source).slice(0, WARM_UP_BYTES));
      await hashOf((await browser.download("bench", download, { from: BYTES - WARM_UP_BYTES })).bytes);
      await (await fetch(`${relay}/small`, { method: "PUT", body: Bun.file(source).slice(0, WARM_UP_BYTES) })).json();
      await hashOf((await fetch(`${relay}/small`)).body!);
    }
    const [server, guestAgent, plainRelay, plainStore] = [gateway, agent, bareRelay, bareStore].map(({ pid }) =>
      watchMemory(pid),
    ) as [Growth, Growth, Growth, Growth];
    for (let round = 0; round < ROUNDS; round++)
      for (const way of ["up", "down"] as const)
        for (const who of round % 2 ? (["raw", "ours"] as const) : (["ours", "raw"] as const)) {
          const started = performance.now();
          const got = await ways[way][who]();
          rates[way][who].push(BYTES / 1e6 / ((performance.now() - started) / 1000));
          if (got !== sha256) throw new Error(`${way}, ${who}: ${got} arrived instead of ${sha256}`);
        }
    return [
      row("1 GiB up: HTTP API beside a plain relay and store, MB/s", rates.up),
      row("1 GiB down: HTTP API beside a plain relay and store, MB/s", rates.down),
      memory("server", server(), plainRelay()),
      memory("agent", guestAgent(), plainStore()),
    ];
  } finally {
    for (const program of [gateway, bareStore, bareRelay]) program.kill();
    await Promise.all([gateway, bareStore, bareRelay].map(({ exited }) => exited));
  }
}

function row(what: string, { ours, raw }: Record<"ours" | "raw", number[]>): Row {
  const ratio = median(ours) / median(raw);
  return {
    what,
    ours: spread(ours, 0),
    raw: spread(raw, 0),
    figure: `${ratio.toFixed(2)}x`,
    target: `>= ${GOAL}x`,
    met: ratio >= GOAL,
    n: ROUNDS,
    reason: "three processes pass the bytes on and hash them: on two cores they wait for each other",
  };
}

const memory = (who: string, mb: number, raw: number): Row => ({
  what: `RSS of the ${who}, growth at its peak over ${2 * ROUNDS} GiB`,
  ours: `${mb.toFixed(0)} MB`,
  raw: `${raw.toFixed(0)} MB`,
  figure: `${mb.toFixed(0)} MB`,
  target: `<= ${GOAL_MB} MB`,
  met: mb <= GOAL_MB,
  n: 1,
});

const spawn = (program: string, ...argv: string[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, program), ...argv], { stdout: "pipe" });

const firstOf = async ({ stdout }: ReturnType<typeof spawn>): Promise<string> =>
  new TextDecoder().decode((await stdout.getReader().read()).value);

async function hashOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest("hex");
}

/** Bytes without a pattern. @returns their hash */
async function write(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const file = Bun.file(path).writer();
  const piece = crypto.getRandomValues(Buffer.alloc(65_536));
  const block = Buffer.concat(Array.from({ length: 64 }, () => piece));
  for (let at = 0; at < BYTES; at += block.length) {
    block.writeUInt32LE(at / block.length);
    hash.update(block);
    file.write(block);
    await file.flush();
  }
  await file.end();
  return hash.digest("hex");
}

/** Lets the browser download a file. @returns the download's id, once all of it lies in the guest */
async function downloadOf(guest: Guest, path: string): Promise<string> {
  const site = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: ({ url }) =>
      url.endsWith("/file")
        ? new Response(Bun.file(path), { headers: { "content-disposition": "attachment; filename=big" } })
        : new Response("<title>Site</title>", { headers: { "content-type": "text/html" } }),
  });
  try {
    await guest.navigate(v.parse(Navigate, { url: `http://127.0.0.1:${site.port}/` }));
    await guest.evaluate(v.parse(Evaluate, { expression: "location.href = '/file'" }));
    for await (const { id } of guest.downloads.completed(AbortSignal.timeout(120_000))) return id;
    throw new Error("the browser's own download never ended");
  } finally {
    await site.stop(true);
  }
}
