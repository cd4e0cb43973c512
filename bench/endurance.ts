import { readFileSync } from "node:fs";
import * as v from "valibot";
import { actionSchema, Content, Evaluate, Navigate, Screenshot, Snapshot } from "../src/contract/index.ts";
import { Guest } from "../src/guest/guest.ts";
import { startAgent } from "../test/lib/agent.ts";
import { serveSite } from "../test/site/serve.ts";
import type { Row } from "./lib/row.ts";
import { median } from "./lib/statistics.ts";

const FIRST = 1_000;
const ALL = 10_000;
const SAMPLE_EVERY = 100;
const GOAL_MB = 120;
/** Growth that is the garbage collector's own breath, MB. */
const SLACK_MB = 8;

/** The agent's memory over many operations of all kinds on one tab. */
export async function endurance(): Promise<Row[]> {
  using site = serveSite();
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const { tab } = await guest.navigate(v.parse(Navigate, { url: `${site.origin}/form` }));
  const operations = operationsOn(guest, tab, site.origin);
  const samples: { after: number; mb: number }[] = [];
  const started = performance.now();
  for (let done = 1; done <= ALL; done++) {
    await operations[done % operations.length]!();
    if (done % SAMPLE_EVERY === 0) samples.push({ after: done, mb: residentMb(agent.pid) });
  }
  const seconds = (performance.now() - started) / 1000;
  const between = (from: number, to: number) =>
    median(samples.filter(({ after }) => after > from && after <= to).map(({ mb }) => mb));
  const early = Math.max(...samples.filter(({ after }) => after <= FIRST).map(({ mb }) => mb));
  const [middle, late] = [between(ALL * 0.3, ALL * 0.5), between(ALL * 0.8, ALL)];
  const mb = (value: number) => `${value.toFixed(0)} MB`;
  return [
    {
      what: `agent RSS, most of the first ${FIRST} operations`,
      ours: mb(early),
      raw: "-",
      figure: mb(early),
      target: `<= ${GOAL_MB} MB`,
      met: early <= GOAL_MB,
      n: FIRST,
    },
    {
      what: `agent RSS, growth over ${ALL} operations (${(ALL / seconds).toFixed(0)}/s)`,
      ours: mb(late),
      raw: mb(middle),
      figure: mb(late - middle),
      target: `<= ${SLACK_MB} MB`,
      met: late - middle <= SLACK_MB,
      n: ALL,
    },
  ];
}

function operationsOn(guest: Guest, tab: string, origin: string): (() => Promise<unknown>)[] {
  const selector = 'role=button[name="Bold"]';
  return [
    () => guest.evaluate(v.parse(Evaluate, { expression: "document.title", tab })),
    () => guest.page.snapshot(v.parse(Snapshot, { tab })),
    () => guest.page.act("click", v.parse(actionSchema("click"), { tab, selector })),
    () => guest.page.act("fill", v.parse(actionSchema("fill"), { tab, selector: "#mail", text: "a@b.c" })),
    () => guest.content(v.parse(Content, { tab, format: "text" })),
    () => guest.tabs(),
    () => guest.evaluate(v.parse(Evaluate, { expression: "'x'.repeat(10_000)", tab })),
    () => guest.screenshot(v.parse(Screenshot, { tab })),
    () => guest.page.snapshot(v.parse(Snapshot, { tab })),
    () => guest.navigate(v.parse(Navigate, { url: `${origin}/form`, tab })),
  ];
}

/** VmRSS (proc(5)). */
const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
