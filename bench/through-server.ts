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

const ROUNDS = 300;
/** A server's life is long: what its code costs before it is compiled does not count. */
const WARM_UP = 1_000;
const GOAL_MS = 0.5;

/** Operations by the HTTP API beside the same ones asked of the agent itself, turn about, with the same HTTP client. */
export async function throughServer(): Promise<Row[]> {
  using site = serveSite();
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const gateway = Bun.spawn(
    [process.execPath, join(import.meta.dir, "gateway-server.ts"), agent.endpoint, agent.token],
    { stdout: "pipe" },
  );
  try {
    const { value } = await gateway.stdout.getReader().read();
    const { url, key } = JSON.parse(new TextDecoder().decode(value)) as { url: string; key: string };
    const { tab } = await connect({ base: url, key }).browser.navigate("bench", { url: `${site.origin}/form` });
    const selector = 'role=button[name="Bold"]';
    const bodies: [name: string, operation: string, body: object][] = [
      ["evaluate", "evaluate", v.parse(Evaluate, { expression: "1", tab })],
      ["click", "click", v.parse(actionSchema("click"), { tab, selector })],
      ["snapshot", "snapshot", v.parse(Snapshot, { tab })],
      ["screenshot", "screenshot", v.parse(Screenshot, { tab })],
      ["navigate", "navigate", v.parse(Navigate, { url: `${site.origin}/form`, tab })],
    ];
    for (let call = 0; call < WARM_UP; call++)
      await post(url, key, "/api/v1/vms/bench/browser/evaluate", bodies[0]![2]);
    const rows: Row[] = [];
    for (const [name, operation, body] of bodies) {
      const inAgent = operation === "click" ? "act/click" : operation;
      rows.push(
        await compare(
          name,
          () => post(url, key, `/api/v1/vms/bench/browser/${operation}`, body),
          () => post(agent.endpoint, agent.token, `/v1/browser/${inAgent}`, body),
        ),
      );
    }
    return rows;
  } finally {
    gateway.kill();
    await gateway.exited;
  }
}

const post = (base: string, key: string, path: string, body: object) =>
  ask(base, key, { method: "POST", path, body, timeoutMs: 60_000, maxBytes: 1e8 });

async function compare(name: string, through: () => Promise<unknown>, direct: () => Promise<unknown>): Promise<Row> {
  const times = { through: [] as number[], direct: [] as number[] };
  const timed = async (work: () => Promise<unknown>) => {
    const started = performance.now();
    await work();
    return performance.now() - started;
  };
  const rounds = name === "evaluate" ? ROUNDS : ROUNDS / 5;
  for (let round = -5; round < rounds; round++) {
    const pair = { through: await timed(through), direct: await timed(direct) };
    if (round < 0) continue;
    times.through.push(pair.through);
    times.direct.push(pair.direct);
  }
  const more = median(times.through) - median(times.direct);
  return {
    what: `${name}: HTTP API beside the agent itself, ms`,
    ours: spread(times.through, 2),
    raw: spread(times.direct, 2),
    figure: `+${more.toFixed(2)} ms`,
    target: `<= +${GOAL_MS} ms`,
    met: more <= GOAL_MS,
    n: rounds,
    reason: "the machine was busy, or the operation itself takes longer than the hop and varies more than it",
  };
}
