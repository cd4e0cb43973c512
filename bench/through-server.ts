import { join } from "node:path";
import * as v from "valibot";
import { connect } from "../src/client/client.ts";
import { actionSchema, Evaluate, Navigate, Screenshot, Snapshot } from "../src/contract/index.ts";
import { ask } from "../src/guest/http.ts";
import { Guest } from "../src/guest/guest.ts";
import { startAgent } from "../test/lib/agent.ts";
import { serveSite } from "../test/site/serve.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

/** A server's life is long: what its code costs before it is compiled does not count. */
const WARM_UP = 1_000;
const GOAL_MS = 0.5;

/**
 * Operations by the HTTP API beside the same ones asked of the agent itself, turn about, with the same HTTP client; and beside a process
 * that passes the same bytes on without looking: where cores sleep between operations, each process on the way wakes one more.
 */
export async function throughServer(): Promise<Row[]> {
  using site = serveSite();
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const gateway = Bun.spawn(
    [process.execPath, join(import.meta.dir, "gateway-server.ts"), agent.endpoint, agent.token],
    { stdout: "pipe" },
  );
  const { hostname, port } = new URL(agent.endpoint);
  const bare = Bun.spawn([process.execPath, join(import.meta.dir, "bare-relay.ts"), hostname, port], {
    stdout: "pipe",
  });
  try {
    const { url, key } = JSON.parse(await firstOf(gateway.stdout)) as { url: string; key: string };
    const relay = `http://127.0.0.1:${(await firstOf(bare.stdout)).trim()}`;
    const { tab } = await connect({ base: url, key }).browser.navigate("bench", { url: `${site.origin}/form` });
    const selector = 'role=button[name="Bold"]';
    const bodies: [operation: string, rounds: number, body: object][] = [
      ["evaluate", 300, v.parse(Evaluate, { expression: "1", tab })],
      ["click", 120, v.parse(actionSchema("click"), { tab, selector })],
      ["snapshot", 300, v.parse(Snapshot, { tab })],
      ["screenshot", 60, v.parse(Screenshot, { tab })],
      ["navigate", 60, v.parse(Navigate, { url: `${site.origin}/form`, tab })],
    ];
    const rows: Row[] = [];
    for (const [operation, rounds, body] of bodies) {
      const api = () => post(url, key, `/api/v1/vms/bench/browser/${operation}`, body);
      const inAgent = (base: string) => () =>
        post(base, agent.token, `/v1/browser/${operation === "click" ? "act/click" : operation}`, body);
      if (operation === "evaluate") for (let call = 0; call < WARM_UP; call++) await api();
      rows.push(await compare(operation, rounds, [api, inAgent(agent.endpoint), inAgent(relay)]));
    }
    return rows;
  } finally {
    for (const program of [gateway, bare]) program.kill();
    await Promise.all([gateway.exited, bare.exited]);
  }
}

async function firstOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new TextDecoder().decode((await stream.getReader().read()).value);
}

const post = (base: string, key: string, path: string, body: object) =>
  ask(base, key, { method: "POST", path, body, timeoutMs: 60_000, maxBytes: 1e8 });

/** @param ways by the server, to the agent itself, by the bare relay: each round begins with another one */
async function compare(name: string, rounds: number, ways: (() => Promise<unknown>)[]): Promise<Row> {
  const times: number[][] = ways.map(() => []);
  for (let round = -Math.ceil(rounds / 5); round < rounds; round++)
    for (let nth = 0; nth < ways.length; nth++) {
      const way = (((round + nth) % ways.length) + ways.length) % ways.length;
      const started = performance.now();
      await ways[way]!();
      if (round >= 0) times[way]!.push(performance.now() - started);
    }
  const [through, direct, bare] = times as [number[], number[], number[]];
  const more = median(through) - median(direct);
  const least = median(bare) - median(direct);
  return {
    what: `${name}: HTTP API beside the agent itself, ms`,
    ours: spread(through, 2),
    raw: spread(direct, 2),
    figure: `${signed(more)} ms (bare relay ${signed(least)})`,
    target: `<= +${GOAL_MS} ms`,
    met: more <= GOAL_MS,
    n: rounds,
    reason:
      "the server works 0.4 ms of CPU on an operation, half of it in Bun's node:http (its fetch takes less, but shows the guest's token to any HTTP_PROXY); and where two cores are Chromium's, each process on the way waits for one, as the bare relay does",
  };
}

const signed = (ms: number): string => `${ms < 0 ? "" : "+"}${ms.toFixed(2)}`;
