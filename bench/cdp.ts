import { join } from "node:path";
import { SealedHome } from "../test/lib/hype.ts";
import { CdpClient } from "./lib/cdp-client.ts";
import type { Row } from "./lib/row.ts";
import { median, quantile, spread } from "./lib/statistics.ts";
import { agentDoor } from "./lib/vm-door.ts";

const BLOCKS = 20;
const CALLS = 100;
const LARGE_BYTES = 5_000_000;
const LARGE_ROUNDS = 10;

/** Runtime.evaluate and a 5 MB message, through the server and straight at the agent's door, block by block in turn. */
export async function cdp(): Promise<Row[]> {
  await using home = new SealedHome();
  await home.serve();
  await home.ok(["vms", "create", "bench", "--cpu", "2"]);
  const door = agentDoor(join(home.path, "state"), "bench");
  const { ws_url } = JSON.parse(await home.ok(["cdp", "bench", "--json"])) as { ws_url: string };
  const tab = (await door.guest.tabs(AbortSignal.timeout(10_000))).items[0]?.id;
  const page = `/devtools/page/${tab}`;
  const through = await CdpClient.connect(ws_url.replace("/cdp?", `/cdp${page}?`));
  const direct = await CdpClient.connect(`${door.endpoint.replace("http", "ws")}${page}`, {
    authorization: `Bearer ${door.token}`,
  });
  try {
    const small = await latency(through, direct);
    const large = await throughput(through, direct);
    const p50 = median(small.through) - median(small.direct);
    const p99 = quantile(small.through, 0.99) - quantile(small.direct, 0.99);
    const ratio = median(large.direct) / median(large.through);
    const n = BLOCKS * CALLS;
    const evaluate = "CDP Runtime.evaluate, through - direct";
    return [
      {
        what: `${evaluate}, p50`,
        ours: `${spread(small.through, 3)} ms`,
        raw: `${spread(small.direct, 3)} ms`,
        figure: `${p50.toFixed(3)} ms`,
        target: "<= 0.3 ms",
        met: p50 <= 0.3,
        n,
      },
      {
        what: `${evaluate}, p99`,
        ours: `${quantile(small.through, 0.99).toFixed(3)} ms`,
        raw: `${quantile(small.direct, 0.99).toFixed(3)} ms`,
        figure: `${p99.toFixed(3)} ms`,
        target: "<= 2 ms",
        met: p99 <= 2,
        n,
      },
      {
        what: "CDP 5 MB message, throughput against direct",
        ours: `${spread(large.through)} ms`,
        raw: `${spread(large.direct)} ms`,
        figure: `${ratio.toFixed(2)}x`,
        target: ">= 0.7x",
        met: ratio >= 0.7,
        n: LARGE_ROUNDS,
      },
    ];
  } finally {
    through.close();
    direct.close();
  }
}

const evaluate = (client: CdpClient, expression: string) =>
  client.send("Runtime.evaluate", { expression, returnByValue: true });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function latency(through: CdpClient, direct: CdpClient) {
  const times = { through: [] as number[], direct: [] as number[] };
  for (let block = 0; block <= BLOCKS; block++)
    for (const [name, client] of [
      ["through", through],
      ["direct", direct],
    ] as const)
      for (let call = 0; call < CALLS; call++) {
        const ms = await timed(() => evaluate(client, "1"));
        if (block > 0) times[name].push(ms);
      }
  return times;
}

async function throughput(through: CdpClient, direct: CdpClient) {
  const times = { through: [] as number[], direct: [] as number[] };
  for (let round = 0; round <= LARGE_ROUNDS; round++)
    for (const [name, client] of [
      ["through", through],
      ["direct", direct],
    ] as const) {
      const ms = await timed(async () => {
        const text = await evaluate(client, `"x".repeat(${LARGE_BYTES})`);
        if (text.length < LARGE_BYTES) throw new Error(`short answer: ${text.slice(0, 200)}`);
      });
      if (round > 0) times[name].push(ms);
    }
  return times;
}
