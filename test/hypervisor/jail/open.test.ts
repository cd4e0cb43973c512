import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import { openJailer } from "../../../src/hypervisor/jail/open.ts";
import { deviceGroup, ownUser, takenUser, type UserWish } from "../../../src/hypervisor/jail/own-user.ts";
import { silentLog } from "../../../src/log/log.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

const isRoot = process.getuid?.() === 0;
const REQUEST = {
  vmId: "01a204df-d17a-73f6-9c2c-ca675335e451",
  slot: 7,
  cpuCores: 1,
  memoryMb: 512,
  accelerator: "tcg",
} as const;
const open = (home: string, env: Record<string, string> = {}) =>
  openJailer(
    // A KVM that cannot be opened by others is another test's matter.
    loadConfig({
      OVERHYPED_HOME: home,
      OVERHYPED_ACCELERATOR: "tcg",
      OVERHYPED_NETWORK: "user",
      OVERHYPED_HYPERVISOR: "qemu",
      ...env,
    }),
    silentLog,
  );

describe("users somebody has", () => {
  const passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:20005:20005::/home/alice:/bin/sh\n";
  const subuid = "alice:100000:65536\nbob:4000000000:10\n";
  const cases: [number, number, string | null][] = [
    [20_000, 256, "user alice has the id 20005"],
    [20_006, 256, null],
    [19_749, 256, null],
    [165_535, 1, "/etc/subuid gives alice the ids from 100000 on"],
    [165_536, 256, null],
    [99_745, 256, "/etc/subuid gives alice the ids from 100000 on"],
    [1_900_000_000, 65_536, null],
  ];
  for (const [base, count, expected] of cases)
    test(`${base} and ${count}`, () => expect(takenUser(base, count, passwd, subuid)).toBe(expected));
});

test("switched off: nothing but what a process can do to itself, and the row says why", async () => {
  using home = temporaryDirectory();
  const jailer = await open(home.path, { OVERHYPED_JAIL: "off" });
  const jail = await jailer.make(REQUEST);
  expect([jail.uid, jail.cgroup, jailer.uidOf(7), jailer.cgroupOf(REQUEST.vmId)]).toEqual([null, null, null, null]);
  expect(jail.isolation.measures).toEqual(["resource-limits", "no-new-privileges"]);
  expect(jail.isolation.missing.map(({ reason }) => reason)).toEqual(Array(6).fill("OVERHYPED_JAIL=off"));
});

describe.skipIf(!isRoot)("as root (skipped for other users)", () => {
  test("a VM gets a user by its lease, a cgroup, and no capability", async () => {
    using home = temporaryDirectory();
    const jailer = await open(home.path);
    const jail = await jailer.make(REQUEST);
    try {
      expect([jail.uid, jailer.uidOf(7)]).toEqual([1_900_000_007, 1_900_000_007]);
      expect(jail.cgroup).toBe(jailer.cgroupOf(REQUEST.vmId));
      const { measures, missing } = jail.isolation;
      const all = [...measures, ...missing.map(({ measure }) => measure)].sort();
      expect(all).toEqual([
        "cgroup",
        "cpu-limit",
        "memory-limit",
        "network-namespace",
        "no-capabilities",
        "no-new-privileges",
        "own-user",
        "pids-limit",
        "resource-limits",
      ]);
      for (const measure of ["own-user", "no-capabilities", "no-new-privileges"] as const)
        expect(measures).toContain(measure);
    } finally {
      if (jail.cgroup) await jailer.release(jail.cgroup);
    }
  });

  const wish = (change: Partial<UserWish>): UserWish => ({
    base: 1_900_000_000,
    count: 256,
    kvm: false,
    tap: false,
    files: [],
    programs: [],
    ...change,
  });

  test("a device is reached by everybody, by its group, or by root alone", () => {
    using directory = temporaryDirectory();
    const device = (mode: string, group: number): string => {
      const path = directory.join(mode);
      expect(Bun.spawnSync(["mknod", "-m", mode, path, "c", "1", "3"]).exitCode).toBe(0);
      chownSync(path, 0, group);
      return path;
    };
    expect(deviceGroup(device("666", 0))).toEqual({ group: null });
    expect(deviceGroup(device("660", 1234))).toEqual({ group: 1234 });
    for (const [mode, group] of [
      ["600", 1234],
      ["640", 1234],
      ["0660", 0], // the group of root is no VM's
    ] as const)
      expect(deviceGroup(device(mode, group))).toEqual({ reason: expect.stringContaining("by root only") });
    expect(deviceGroup(directory.join("none"))).toEqual({ group: null });
  });

  test("a program its user cannot reach means no user of its own, with the program's name", async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("qemu"), "#!/bin/sh\necho fine\n", { mode: 0o755 });
    expect(await ownUser(wish({ programs: [directory.join("qemu")] }))).toEqual({
      reason: expect.stringMatching(/qemu does not run as uid 1900000255: .*(Permission denied|not)/),
    });
    chmodSync(directory.path, 0o755);
    expect(await ownUser(wish({ programs: [directory.join("qemu")] }))).toEqual({ base: 1_900_000_000, groups: [] });
  });

  test("a kernel of the operator's that is closed is named", async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("vmlinuz"), "", { mode: 0o600 });
    expect(await ownUser(wish({ files: [directory.join("vmlinuz")] }))).toEqual({
      reason: `${directory.join("vmlinuz")} may be read by root only: chmod o+r it`,
    });
  });

  test("without a user of its own a VMM is root without capabilities, and the row says what that is worth", async () => {
    using home = temporaryDirectory();
    writeFileSync(home.join("vmlinuz"), "", { mode: 0o600 });
    const jailer = await open(home.path, { OVERHYPED_KERNEL: home.join("vmlinuz") });
    const jail = await jailer.make(REQUEST);
    if (jail.cgroup) await jailer.release(jail.cgroup);
    expect(jail.uid).toBeNull();
    expect(jail.isolation.measures).toContain("no-capabilities");
    expect(jail.isolation.missing.find(({ measure }) => measure === "own-user")?.reason).toMatch(
      /vmlinuz.*root, whose files are open to it/,
    );
    const required = await open(home.path, { OVERHYPED_KERNEL: home.join("vmlinuz"), OVERHYPED_JAIL: "required" });
    expect(required.make(REQUEST)).rejects.toMatchObject({
      code: "jail_unavailable",
      message: expect.stringContaining("a user of its own"),
    });
  });

  test("a server of another user has no jail, keeps new privileges away all the same, and refuses where one is required", async () => {
    const program = `
      const { openJailer } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/hypervisor/jail/open.ts"))});
      const { loadConfig } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/config/load.ts"))});
      const { silentLog } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/log/log.ts"))});
      process.setgroups([]); process.setgid(54321); process.setuid(54321); // the program is read: that user may not reach it
      const open = (jail) => openJailer(loadConfig({ OVERHYPED_HOME: "/tmp", OVERHYPED_JAIL: jail }), silentLog);
      const jail = await (await open("auto")).make({});
      const refused = await (await open("required")).make({}).catch((error) => error.code);
      console.log(JSON.stringify({ isolation: jail.isolation, refused }));
      process.exit((await Bun.spawn(jail.command(["grep", "-q", "NoNewPrivs:.1", "/proc/self/status"], null)).exited));`;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit", cwd: "/" });
    const { isolation, refused } = (await new Response(child.stdout).json()) as {
      isolation: { measures: string[]; missing: { reason: string }[] };
      refused: string;
    };
    expect(await child.exited).toBe(0);
    expect([isolation.measures, refused]).toEqual([["resource-limits", "no-new-privileges"], "jail_unavailable"]);
    expect(new Set(isolation.missing.map(({ reason }) => reason))).toEqual(
      new Set(["the server does not run as root"]),
    );
  });
});
