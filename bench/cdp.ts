import { join } from "node:path";
import { Guest } from "../src/guest/guest.ts";
import { startAgent } from "../test/lib/agent.ts";
import { SealedHome } from "../test/lib/hype.ts";
import { CdpClient } from "./lib/cdp-client.ts";
import type { Row } from "./lib/row.ts";
import { median, quantile, spread } from "./lib/statistics.ts";
import { agentDoor } from "./lib/vm-door.ts";

const BLOCKS = 20;
const CALLS = 100;
const LARGE_BYTES = 5_000_000;
const LARGE_ROUNDS = 10;

/** Where the same page is reached straight at the agent's door and through the server. */
type Ways = { label: string; direct: Way; through: Way; reason: string };
type Way = { url: string; headers: Record<string, string> };

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const socket = (url: string): string => url.replace(/^http/, "ws");

/** In a microVM, as users have it; and with agent and Chromium as local processes, where the server's own hop can be told from noise. */
export async function cdp(): Promise<Row[]> {
  return [...(await overLocalAgent()), ...(await overVm())];
}

async function overLocalAgent(): Promise<Row[]> {
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const gateway = Bun.spawn(
    [process.execPath, join(import.meta.dir, "gateway-server.ts"), agent.endpoint, agent.token],
    {
      stdout: "pipe",
    },
  );
  try {
    const { value } = await gateway.stdout.getReader().read();
    const { url, key } = JSON.parse(new TextDecoder().decode(value)) as { url: string; key: string };
    const page = `/devtools/page/${(await guest.tabs()).items[0]?.id}`;
    return await measure({
      label: "local agent",
      direct: { url: socket(agent.endpoint) + page, headers: bearer(agent.token) },
      through: { url: `${socket(url)}/api/v1/vms/bench/cdp${page}`, headers: bearer(key) },
      reason: "the machine was busy: repeat it on a quiet one",
    });
  } finally {
    gateway.kill();
    await gateway.exited;
  }
}

async function overVm(): Promise<Row[]> {
  await using home = new SealedHome();
  const server = await home.serve();
  await home.ok(["vms", "create", "bench", "--cpu", "2"]);
  const door = agentDoor(join(home.path, "state"), "bench");
  const page = `/devtools/page/${(await door.guest.tabs()).items[0]?.id}`;
  return await measure({
    label: "microVM",
    direct: { url: socket(door.endpoint) + page, headers: bearer(door.token) },
    through: { url: `${socket(server.url)}/api/v1/vms/bench/cdp${page}`, headers: bearer(server.key) },
    reason:
      "under software emulation a call takes the guest 100 times as long as the hop, and its virtual CPUs hold every core of the host while it does; the rows over a local agent show the hop itself",
  });
}

async function measure({ label, direct, through, reason }: Ways): Promise<Row[]> {
  const [near, far] = [
    await CdpClient.connect(direct.url, direct.headers),
    await CdpClient.connect(through.url, through.headers),
  ];
  try {
    const small = await latency(far, near);
    const large = await throughput(far, near);
    const p50 = median(small.through) - median(small.direct);
    const p99 = quantile(small.through, 0.99) - quantile(small.direct, 0.99);
    const ratio = median(large.direct) / median(large.through);
    const n = BLOCKS * CALLS;
    const evaluate = `CDP Runtime.evaluate, through - direct (${label})`;
    const ms = (value: number) => `${value.toFixed(3)} ms`;
    return [
      {
        what: `${evaluate}, p50`,
        ours: `${spread(small.through, 3)} ms`,
        raw: `${spread(small.direct, 3)} ms`,
        figure: ms(p50),
        target: "<= 0.3 ms",
        met: p50 <= 0.3,
        n,
        reason,
      },
      {
        what: `${evaluate}, p99`,
        ours: ms(quantile(small.through, 0.99)),
        raw: ms(quantile(small.direct, 0.99)),
        figure: ms(p99),
        target: "<= 2 ms",
        met: p99 <= 2,
        n,
        reason,
      },
      {
        what: `CDP 5 MB message, throughput against direct (${label})`,
        ours: `${spread(large.through)} ms`,
        raw: `${spread(large.direct)} ms`,
        figure: `${ratio.toFixed(2)}x`,
        target: ">= 0.7x",
        met: ratio >= 0.7,
        n: LARGE_ROUNDS,
        reason,
      },
    ];
  } finally {
    near.close();
    far.close();
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
