import { readFileSync } from "node:fs";
import { SealedHome } from "../test/lib/hype.ts";
import type { Row } from "./lib/row.ts";

const VMS = 6;
const SETTLE_MS = 5_000;

/** Resident set of a process, MB (proc_pid_status(5)). */
const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024;

/** What `hype serve` itself holds: idle, and what each idle VM adds. The collector gets five quiet seconds before each look. */
export async function serverMemory(): Promise<Row[]> {
  await using home = new SealedHome();
  const server = await home.serve();
  await home.ok(["vms", "list"]);
  await Bun.sleep(SETTLE_MS);
  const idle = residentMb(server.pid);
  // One VM warms every code path up; what counts is what the next ones add.
  await home.ok(["vms", "create", "bench-0", "--memory", "512"]);
  await Bun.sleep(SETTLE_MS);
  const one = residentMb(server.pid);
  for (let index = 1; index <= VMS; index++) await home.ok(["vms", "create", `bench-${index}`, "--memory", "512"]);
  await Bun.sleep(SETTLE_MS);
  const each = (residentMb(server.pid) - one) / VMS;
  return [
    {
      what: "hype serve idle RSS",
      ours: `${idle.toFixed(1)} MB`,
      raw: "-",
      figure: `${idle.toFixed(1)} MB`,
      target: "<= 90 MB",
      met: idle <= 90,
      n: 1,
    },
    {
      what: "RSS per further idle VM in the server",
      ours: `${each.toFixed(2)} MB`,
      raw: `with one VM ${one.toFixed(1)} MB`,
      figure: `${each.toFixed(2)} MB`,
      target: "<= 0.5 MB",
      met: each <= 0.5,
      n: VMS,
    },
  ];
}
