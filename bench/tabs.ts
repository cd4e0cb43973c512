import type { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import CDP from "chrome-remote-interface";
import * as v from "valibot";
import { Navigate, OpenTab } from "../src/contract/index.ts";
import { Guest } from "../src/guest/guest.ts";
import { startAgent } from "../test/lib/agent.ts";
import { serveSite } from "../test/site/serve.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const TABS = 10;
const ROUNDS = 12;
/** Navigations of one tab in a round. */
const PAGES = 5;
const GOAL = 0.8;

type Navigator = (url: string) => Promise<unknown>;

/** Ten tabs that navigate at once: through the agent, and by ten clients straight at the same Chromium, turn about. */
export async function tabs(): Promise<Row[]> {
  using site = serveSite();
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const ours = await Promise.all(Array.from({ length: TABS }, () => throughAgent(guest)));
  const port = devtoolsPort((await guest.health()).chromium.pid!);
  const clients = await Promise.all(Array.from({ length: TABS }, () => directClient(port)));
  const direct = clients.map(({ navigate }) => navigate);
  const rates = { ours: [] as number[], direct: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, navigators] of round % 2
      ? ([
          ["ours", ours],
          ["direct", direct],
        ] as const)
      : ([
          ["direct", direct],
          ["ours", ours],
        ] as const)) {
      const rate = await pagesPerSecond(navigators, site.origin);
      if (round > 0) rates[name].push(rate);
    }
  await Promise.all(clients.map(({ client }) => client.close()));
  const ratio = median(rates.ours) / median(rates.direct);
  return [
    {
      what: `${TABS} tabs navigating at once: agent beside ${TABS} direct clients, pages/s`,
      ours: spread(rates.ours),
      raw: spread(rates.direct),
      figure: `${ratio.toFixed(2)}x`,
      target: `>= ${GOAL}x`,
      met: ratio >= GOAL,
      n: ROUNDS,
      reason: "the machine was busy: repeat it on a quiet one",
    },
  ];
}

async function pagesPerSecond(navigators: readonly Navigator[], origin: string): Promise<number> {
  const started = performance.now();
  await Promise.all(
    navigators.map(async (navigate, tab) => {
      for (let page = 0; page < PAGES; page++) await navigate(`${origin}/${page % 2 ? "form" : "things"}?${tab}`);
    }),
  );
  return (TABS * PAGES * 1000) / (performance.now() - started);
}

async function throughAgent(guest: Guest): Promise<Navigator> {
  const { tab } = await guest.openTab(v.parse(OpenTab, {}));
  return (url) => guest.navigate(v.parse(Navigate, { url, tab }));
}

async function directClient(port: number): Promise<{ client: CDP.Client; navigate: Navigator }> {
  const target = await CDP.New({ host: "127.0.0.1", port });
  const client = await CDP({ host: "127.0.0.1", port, target, local: true });
  await client.Page.enable();
  const events = client as unknown as EventEmitter;
  const navigate: Navigator = async (url) => {
    const loaded = new Promise((done) => events.once("Page.loadEventFired", done));
    await client.Page.navigate({ url });
    await loaded;
  };
  return { client, navigate };
}

/** Chromium writes its port into its profile (content/browser/devtools, DevToolsActivePort). */
function devtoolsPort(pid: number): number {
  const profile = /--user-data-dir=([^\0 ]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, "utf8"))![1]!;
  return Number(readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n")[0]);
}
