import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cgroupMount, isPopulated } from "../../../src/host/cgroup.ts";
import { identify, isAlive, type ProcessIdentity } from "../../../src/host/process.ts";
import { Cgroups, releaseCgroup } from "../../../src/hypervisor/jail/cgroups.ts";
import { enter } from "../../../src/hypervisor/jail/command.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

describe("where cgroup v2 is mounted", () => {
  const v1 = "36 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
  const cases: [string, string, ReturnType<typeof cgroupMount>][] = [
    [
      "alone",
      "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
      { path: "/sys/fs/cgroup" },
    ],
    [
      "beside v1",
      `${v1}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
      { path: "/sys/fs/cgroup/unified" },
    ],
    ["with a space", "30 24 0:26 / /a\\040b rw - cgroup2 cgroup2 rw", { path: "/a b" }],
    ["not", v1, { reason: "cgroup v2 is not mounted on this host" }],
    [
      "read-only, as in a container",
      "30 24 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw",
      { reason: "cgroup v2 is mounted read-only here" },
    ],
  ];
  for (const [name, mountinfo, expected] of cases) test(name, () => expect(cgroupMount(mountinfo)).toEqual(expected));
});

const mount = cgroupMount();
const writable = process.getuid?.() === 0 && "path" in mount;
const vmId = (digit: number): string => `01a204df-d17a-73f6-9c2c-ca675335e45${digit}`;

/** A shell in a cgroup with a child of its own that has left its session: `pids` are both. */
async function inhabit(cgroup: string): Promise<{ pids: ProcessIdentity[]; exited: Promise<number> }> {
  const command = enter(
    {
      uid: 1_900_000_077,
      groups: [],
      dropCapabilities: "all",
      noNewPrivileges: true,
      cgroup,
      files: [],
      network: "host",
      fileLimitMb: 1,
      openFiles: 64,
      maxTasks: null,
    },
    ["/bin/sh", "-c", "trap '' TERM HUP; setsid sleep 600 & echo ready; wait"],
  );
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  const pids = readFileSync(join(cgroup, "cgroup.procs"), "utf8").trim().split("\n").map(Number);
  return { pids: pids.map((pid) => identify(pid)!), exited: child.exited };
}

describe.skipIf(!writable)("cgroups of VMs (skipped where cgroup v2 cannot be written)", () => {
  const open = (home: string): Cgroups => {
    const cgroups = Cgroups.open(home);
    if ("reason" in cgroups) throw new Error(cgroups.reason);
    return cgroups;
  };

  test("release ends all that runs in one, also what left its session, and nothing is left of it", async () => {
    using home = temporaryDirectory();
    const cgroups = open(home.path);
    const path = await cgroups.make(vmId(1));
    const { pids, exited } = await inhabit(path);
    expect(pids.length).toBe(2);
    expect(isPopulated(path)).toBe(true);
    await releaseCgroup(path);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await exited).not.toBe(0);
    expect([existsSync(path), existsSync(dirname(path))]).toEqual([false, false]);
    await releaseCgroup(path);
  });

  test("made again, what an earlier start left in it is ended", async () => {
    using home = temporaryDirectory();
    const cgroups = open(home.path);
    const { pids } = await inhabit(await cgroups.make(vmId(1)));
    const path = await cgroups.make(vmId(1));
    expect([isPopulated(path), ...pids.map(isAlive)]).toEqual([false, false, false]);
    await releaseCgroup(path);
  });

  test("reconcile removes what nobody holds, leaves what is held, strange names, and other states' VMs", async () => {
    using home = temporaryDirectory();
    using other = temporaryDirectory();
    const [ours, theirs] = [open(home.path), open(other.path)];
    const held = await ours.make(vmId(1));
    const stray = await ours.make(vmId(2));
    const foreign = await theirs.make(vmId(2));
    const strange = join(dirname(held), "another-program");
    mkdirSync(strange);
    const running = await Promise.all([held, stray, foreign].map(inhabit));
    await ours.reconcile(new Set([held]));
    expect(running.map(({ pids }) => pids.every(isAlive))).toEqual([true, false, true]);
    expect([held, stray, foreign, strange].map((path) => existsSync(path))).toEqual([true, false, true, true]);
    rmdirSync(strange);
    await Promise.all([held, foreign].map(releaseCgroup));
    expect(existsSync(dirname(held))).toBe(false);
  });

  test("many made and released at once, by two states, get into nobody's way", async () => {
    using home = temporaryDirectory();
    using other = temporaryDirectory();
    const states = [open(home.path), open(other.path)];
    const once = async (index: number) => releaseCgroup(await states[index % 2]!.make(vmId(index % 10)));
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 10 }, (_, index) => once(index)));
    expect(states.map((state) => existsSync(dirname(state.pathOf(vmId(1)))))).toEqual([false, false]);
  });
});

test("what is not named like a VM's cgroup is not touched", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("cgroup.kill"), "");
  for (const path of [directory.path, "/sys/fs/cgroup", join(directory.path, "overhyped/x/vm-y"), "/"])
    expect(releaseCgroup(path)).rejects.toMatchObject({ code: "hypervisor_failed" });
  expect(readFileSync(directory.join("cgroup.kill"), "utf8")).toBe("");
});

test("a hierarchy that cannot be written gives no cgroups, and says so", () => {
  using home = temporaryDirectory();
  expect(Cgroups.open(home.path, { path: "/proc" })).toEqual({ reason: expect.stringContaining("below /proc") });
  expect(Cgroups.open(home.path, { reason: "none" })).toEqual({ reason: "none" });
});
