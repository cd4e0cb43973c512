/** The numbers, each beside its raw counterpart from the same run. `bun run bench [name …]`; needs `bun run build` and an image. */
import { availableParallelism, totalmem } from "node:os";
import { adopt } from "./adopt.ts";
import { agui } from "./agui.ts";
import { boot } from "./boot.ts";
import { cdp } from "./cdp.ts";
import { cloudHypervisor } from "./cloud-hypervisor.ts";
import { endurance } from "./endurance.ts";
import { type Row, table } from "./lib/row.ts";
import { list } from "./list.ts";
import { live } from "./live.ts";
import { mcp } from "./mcp.ts";
import { liveServer } from "./live-server.ts";
import { network } from "./network.ts";
import { operations } from "./operations.ts";
import { profiles, profilesInVms } from "./profiles.ts";
import { serverMemory } from "./server-memory.ts";
import { size } from "./size.ts";
import { startup } from "./startup.ts";
import { tabs } from "./tabs.ts";
import { throughServer } from "./through-server.ts";
import { transfers } from "./transfers.ts";
import { tui } from "./tui.ts";

const benches: Record<string, () => Promise<Row[]>> = {
  size,
  startup,
  tui,
  list,
  cdp,
  operations,
  profiles,
  tabs,
  "through-server": throughServer,
  transfers,
  mcp,
  agui,
  "live-server": liveServer,
  endurance,
  live,
  "server-memory": serverMemory,
  network,
  adopt,
  "cloud-hypervisor": cloudHypervisor,
  boot,
  "profiles-in-vms": profilesInVms,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`bench: no ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}

console.log(
  `${availableParallelism()} cores, ${(totalmem() / 1e9).toFixed(0)} GB, Bun ${Bun.version}, ${new Date().toISOString().slice(0, 10)}; median [middle half]\n`,
);
const rows: Row[] = [];
for (const [name, run] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.error(`… ${name}`);
  rows.push(...(await run()));
}
console.log(table(rows));
