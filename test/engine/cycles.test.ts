import { expect, test } from "bun:test";
import { join } from "node:path";
import { canMakePrivateHosts, PrivateHost } from "../lib/private-host.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const PROGRAM = join(import.meta.dir, "../fake/cycle-program.ts");
const CYCLES = 200;

type Held = {
  files: number;
  memoryMb: number;
  leases: number;
  rows: number;
  run: string[];
  logs: string[];
  cgroups: string[];
  links: number;
  namespaces: number;
  tables: string;
  children: string;
};

test.skipIf(!canMakePrivateHosts)(
  `${CYCLES} VMs made and deleted leave nothing, and the server no larger`,
  async () => {
    using home = temporaryDirectory();
    await using host = await PrivateHost.start({ OVERHYPED_HOME: home.path, OVERHYPED_CONFIG: "/dev/null" });
    const told = JSON.parse(await host.ok([process.execPath, PROGRAM, String(CYCLES)])) as {
      early: Held;
      late: Held;
      links: string;
      namespaces: string[];
    };
    const { early, late } = told;
    expect(late).toMatchObject({ leases: 0, rows: 0, run: [], logs: [], cgroups: [], children: "" });
    // What stays the same: the bridge, the slots kept ready.
    expect([late.links, late.namespaces, late.tables]).toEqual([early.links, early.namespaces, early.tables]);
    expect(late.files).toBeLessThanOrEqual(early.files + 4);
    expect(late.memoryMb).toBeLessThan(early.memoryMb * 1.15 + 8);
    expect(told.namespaces).toEqual([]);
    expect(told.links).not.toContain("hype-");
  },
  240_000,
);
