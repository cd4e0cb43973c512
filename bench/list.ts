import { Database } from "bun:sqlite";
import { join } from "node:path";
import { SealedHome } from "../test/lib/hype.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const VMS = 100;
const BLOCKS = 10;
const REQUESTS = 300;
const PARALLEL = 8;

/** GET /api/v1/vms with 100 rows, authenticated, against a bare Bun.serve over the same database, block by block in turn. */
export async function list(): Promise<Row[]> {
  await using home = new SealedHome();
  const first = await home.serve(); // makes the database
  await first.stop();
  const path = join(home.path, "state", "state.db");
  fill(path);
  const server = await home.serve();
  const raw = Bun.spawn([process.execPath, join(import.meta.dir, "raw-list-server.ts"), path], { stdout: "pipe" });
  try {
    const { value } = await raw.stdout.getReader().read();
    const rawUrl = new TextDecoder().decode(value).trim();
    const ourUrl = `${server.url}/api/v1/vms?limit=100&sort=name`;
    const headers = { authorization: `Bearer ${server.key}` };
    const rates = { ours: [] as number[], raw: [] as number[] };
    for (let block = 0; block <= BLOCKS; block++) {
      const ours = await requestsPerSecond(ourUrl, headers);
      const bare = await requestsPerSecond(rawUrl, {});
      if (block === 0) continue;
      rates.ours.push(ours);
      rates.raw.push(bare);
    }
    const ratio = median(rates.ours) / median(rates.raw);
    return [
      {
        what: `GET /api/v1/vms, ${VMS} rows`,
        ours: `${spread(rates.ours, 0)} /s`,
        raw: `${spread(rates.raw, 0)} /s`,
        figure: `${ratio.toFixed(2)}x`,
        target: ">= 0.7x",
        met: ratio >= 0.7,
        n: BLOCKS,
      },
    ];
  } finally {
    raw.kill();
    await raw.exited;
  }
}

async function requestsPerSecond(url: string, headers: Record<string, string>): Promise<number> {
  const started = performance.now();
  let left = REQUESTS;
  const worker = async () => {
    while (left-- > 0) {
      const response = await fetch(url, { headers });
      const { items } = (await response.json()) as { items: unknown[] };
      if (items.length !== VMS) throw new Error(`${url} answered ${items.length} rows`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return (REQUESTS / (performance.now() - started)) * 1000;
}

/** Stopped VMs as the engine writes them. */
function fill(path: string): void {
  using database = new Database(path);
  const at = new Date().toISOString();
  database.transaction(() => {
    database.run("pragma defer_foreign_keys = on");
    for (let index = 0; index < VMS; index++) {
      const [id, ip] = [Bun.randomUUIDv7(), `192.168.127.${index + 2}`];
      database.run("insert into leases (ip, vm_id, leased_at) values (?, ?, ?)", [ip, id, at]);
      database.run(
        `insert into vms (id, name, status, generation, cpu_cores, memory_mb, image, labels, ip_address, created_at, updated_at)
         values (?, ?, 'stopped', 1, 2, 1024, 'bench', '{"team":"bench"}', ?, ?, ?)`,
        [id, `vm-${index}`, ip, at, at],
      );
    }
  })();
}
