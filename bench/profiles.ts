import * as v from "valibot";
import { type StorageState, StorageState as StorageStateSchema } from "../src/contract/index.ts";
import { silentLog } from "../src/log/log.ts";
import { Profiles } from "../src/profiles/profiles.ts";
import { request, World } from "../test/engine/world.ts";
import { SealedHome } from "../test/lib/hype.ts";
import { temporaryDirectory } from "../test/lib/temporary.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const COOKIES = 60;
type Sort = { name: string; what: string };
const SORTS = [
  { name: "cookies", what: "cookies only", sites: 0 },
  { name: "one", what: "one site", sites: 1 },
  { name: "five", what: "five sites", sites: 5 },
];

/** What a person has who is logged in at so many sites: cookies, and at each site local storage and a database. */
function aPersonsState(sites: number): StorageState {
  const names = Array.from({ length: sites }, (_, n) => `site-${n}.test`);
  const records = Array.from({ length: 200 }, (_, key) => ({ key, value: { id: key, text: "x".repeat(200) } }));
  return v.parse(StorageStateSchema, {
    cookies: Array.from({ length: COOKIES }, (_, n) => ({
      name: `c${n}`,
      value: "v".repeat(100),
      domain: `site-${n % 5}.test`,
    })),
    origins: names.map((site) => ({
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
  for (const { name, sites } of SORTS) kept.import(name, { state: aPersonsState(sites), replace: false });
  const cost = { where: "local agent", rounds: 10, goalMs: 500, reason: "the machine was busy" };
  return await compare(SORTS, cost, async (profile) => {
    const started = performance.now();
    await world.engine.create(request("demo", { profile }));
    const took = performance.now() - started;
    await world.engine.delete("demo");
    return took;
  });
}

/** The same of the built binary and real VMs. */
export async function profilesInVms(): Promise<Row[]> {
  using directory = temporaryDirectory();
  await using home = new SealedHome();
  await home.serve();
  for (const { name, sites } of SORTS) {
    const file = directory.join(`${name}.json`);
    await Bun.write(file, JSON.stringify(aPersonsState(sites)));
    await home.ok(["profiles", "import", name, file]);
  }
  const whole: Sort[] = [];
  for (const { name, what } of SORTS) {
    await home.ok(["vms", "create", "bench", "--profile", name]);
    await home.ok(["profiles", "save", "bench", "--as", `whole-${name}`, "--whole"]);
    await home.ok(["vms", "delete", "bench"]);
    whole.push({ name: `whole-${name}`, what: `whole, ${what}` });
  }
  const reason =
    "each site is a renderer of its own, which takes Chromium seconds to start where the processor is emulated";
  return await compare(
    [...SORTS, ...whole],
    { where: "microVM", rounds: 3, goalMs: 3_000, reason },
    async (profile) => {
      const started = performance.now();
      await home.ok(["vms", "create", "bench", ...(profile === null ? [] : ["--profile", profile])]);
      const took = performance.now() - started;
      await home.ok(["vms", "delete", "bench"]);
      return took;
    },
  );
}

/** @param create makes a VM and says how long that took, ms */
async function compare(
  sorts: Sort[],
  { where, rounds, goalMs, reason }: { where: string; rounds: number; goalMs: number; reason: string },
  create: (profile: string | null) => Promise<number>,
): Promise<Row[]> {
  const names = [null, ...sorts.map(({ name }) => name)];
  const times = new Map<string | null, number[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const name of names) {
      const took = await create(name);
      if (round >= 0) times.get(name)!.push(took); // the first round fills the page cache
    }
  const without = times.get(null)!;
  return sorts.map(({ name, what }) => {
    const cost = median(times.get(name)!) - median(without);
    return {
      what: `create with a profile, ${what} (${where})`,
      ours: `${spread(times.get(name)!, 0)} ms`,
      raw: `without ${spread(without, 0)} ms`,
      figure: `+${cost.toFixed(0)} ms`,
      target: `<= +${goalMs} ms`,
      met: cost <= goalMs,
      n: rounds,
      reason,
    };
  });
}
