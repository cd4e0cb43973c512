import { join } from "node:path";
import { canMakePrivateHosts, PrivateHost } from "../test/lib/private-host.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

/** The slot network on a host of its own: the create path, building, sweeping, a policy changed live. Needs root. */
export async function network(): Promise<Row[]> {
  if (!canMakePrivateHosts) {
    console.error("bench: the slot network needs root; left out");
    return [];
  }
  await using host = await PrivateHost.start();
  const text = await host.ok([process.execPath, join(import.meta.dir, "lib", "network-times.ts")]);
  const times = JSON.parse(text) as Record<string, number[]>;
  const of = (name: string): number[] => times[name] ?? [];
  const atMost = (what: string, name: string, limitMs: number, raw: string): Row => ({
    what,
    ours: `${spread(of(name))} ms`,
    raw,
    figure: `${median(of(name)).toFixed(1)} ms`,
    target: `<= ${limitMs} ms`,
    met: median(of(name)) <= limitMs,
    n: of(name).length,
  });
  const rawBuild = `the same by hand, command by command: ${spread(of("raw"))} ms`;
  const rawRemove = `by hand: ${spread(of("rawRemove"))} ms`;
  const [first, last] = [of("hundred").slice(0, 10), of("hundred").slice(-10)].map(median) as [number, number];
  const ratio = last / first;
  return [
    atMost("slot built ahead, on the create path", "ready", 2, "-"),
    atMost("slot built cold", "cold", 35, rawBuild),
    {
      what: "100 slots built one after the other, last ten over first ten",
      ours: `${last.toFixed(1)} / ${first.toFixed(1)} ms`,
      raw: "-",
      figure: `${ratio.toFixed(2)}x`,
      target: "<= 1.2x",
      met: ratio <= 1.2,
      n: 100,
    },
    { ...atMost("slot removed, name free again", "remove", 100, rawRemove), target: "-", met: true },
    atMost("reconcile of 200 rows", "reconcile", 500, "-"),
    atMost("reconcile of 200 rows, the first of a server", "firstReconcile", 500, "-"),
    atMost("policy changed live", "policy", 50, "-"),
    { ...atMost("policy of 10,000 entries", "policy10k", 0, "-"), target: "-", met: true },
  ];
}
