import { type StorageState, StorageState as StorageStateSchema } from "../src/contract/index.ts";
import * as v from "valibot";
import { silentLog } from "../src/log/log.ts";
import { Profiles } from "../src/profiles/profiles.ts";
import { request, World } from "../test/engine/world.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const ROUNDS = 10;
const SITES = 5;

/** What a person who is logged in at some sites has: cookies, local storage, and a database at each. */
function aPersonsState(): StorageState {
  const sites = Array.from({ length: SITES }, (_, n) => `site-${n}.test`);
  const records = Array.from({ length: 200 }, (_, key) => ({ key, value: { id: key, text: "x".repeat(200) } }));
  return v.parse(StorageStateSchema, {
    cookies: sites.flatMap((domain) =>
      Array.from({ length: 12 }, (_, n) => ({ name: `c${n}`, value: "v".repeat(100), domain })),
    ),
    origins: sites.map((site) => ({
      origin: `https://${site}`,
      localStorage: Array.from({ length: 50 }, (_, n) => ({ name: `k${n}`, value: "v".repeat(500) })),
      indexedDB: [{ name: "db", version: 1, stores: [{ name: "s", autoIncrement: false, indexes: [], records }] }],
    })),
  });
}

/** Making a VM with a profile beside making one without: the engine over the real agent and Chromium as local processes. */
export async function profiles(): Promise<Row[]> {
  await using world = new World();
  world.driver.guest = "agent";
  const kept = new Profiles({ config: world.config, store: world.store, log: silentLog });
  const { size_bytes } = kept.import("alice", { state: aPersonsState(), replace: false });
  const times = { with: [] as number[], without: [] as number[] };
  const timed = async (profile: string | null): Promise<number> => {
    const started = performance.now();
    await world.engine.create(request("demo", { profile }));
    const took = performance.now() - started;
    await world.engine.delete("demo");
    return took;
  };
  for (let round = 0; round < ROUNDS + 1; round++) {
    const sample = [await timed("alice"), await timed(null)] as const;
    if (round === 0) continue; // the first run fills the page cache
    times.with.push(sample[0]);
    times.without.push(sample[1]);
  }
  const cost = median(times.with) - median(times.without);
  return [
    {
      what: `create with a profile (${SITES} sites, ${Math.round(size_bytes / 1024)} KB)`,
      ours: `${spread(times.with)} ms`,
      raw: `without ${spread(times.without)} ms`,
      figure: `+ ${cost.toFixed(0)} ms`,
      target: "<= 500 ms",
      met: cost <= 500,
      n: ROUNDS,
    },
  ];
}
