import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { type EgressPolicy, HypeError } from "../../src/contract/index.ts";
import { executableOf, isAlive } from "../../src/host/process.ts";
import { INSIDE } from "../../src/network/network.ts";
import { Cgroups, releaseCgroup } from "../../src/hypervisor/jail/cgroups.ts";
import { UserNetwork } from "../../src/network/user/user-network.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const never = new AbortController().signal;

function place(directory: { join(...parts: string[]): string }, name: string) {
  const [runDir, logDir] = [directory.join(name), directory.join(`${name}-logs`)];
  mkdirSync(runDir, { mode: 0o700 });
  mkdirSync(logDir, { mode: 0o700 });
  const egress: EgressPolicy = { mode: "open", allow: [], deny: [] };
  return { id: name, name, ipAddress: "192.168.127.2", runDir, logDir, uid: null, egress };
}

/** Local addresses that listen on a port, from the kernel's own table (proc(5), /proc/net/tcp; 0A = LISTEN). */
const listeners = (port: number): string[] =>
  readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      (fields) => fields[3] === "0A" && fields[1]?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, "0")}`),
    )
    .map((fields) => fields[1]?.split(":")[0] ?? "");

test("an attachment is one passt process behind one loopback port, and detaching removes it", async () => {
  using directory = temporaryDirectory();
  const network = new UserNetwork("passt");
  const attachment = await network.attach(place(directory, "one"), never);
  try {
    const [process] = attachment.record.processes;
    expect(executableOf(process!)).toContain("passt");
    expect(attachment.nic).toEqual({ kind: "passt", socket: "../net/net.sock", mac: INSIDE.mac });
    expect(attachment.ipParameter).toBe("10.127.0.2::10.127.0.1:255.255.255.252:one:eth0:off:10.127.0.1");
    expect(listeners(Number(new URL(attachment.record.endpoint).port))).toEqual(["0100007F"]);
    expect(await network.alive(attachment.record)).toBe(true);
  } finally {
    await network.detach(attachment.record);
  }
  expect(await network.alive(attachment.record)).toBe(false);
  await network.detach(attachment.record);
});

test("two attachments share nothing", async () => {
  using directory = temporaryDirectory();
  const network = new UserNetwork("passt");
  const attachments = await Promise.all(["a", "b"].map((name) => network.attach(place(directory, name), never)));
  expect(new Set(attachments.map(({ record }) => record.endpoint)).size).toBe(2);
  await network.detach(attachments[0]!.record);
  expect(await network.alive(attachments[1]!.record)).toBe(true);
  await network.detach(attachments[1]!.record);
});

test("a missing passt is named with the package that has it", async () => {
  using directory = temporaryDirectory();
  const error = (await new UserNetwork("no-such-passt")
    .attach(place(directory, "x"), never)
    .catch((thrown: unknown) => thrown)) as HypeError;
  expect(error.code).toBe("tool_missing");
  expect(error.message).toContain("apt install passt");
});

test("a VM with a policy is not attached where nothing keeps it", async () => {
  using directory = temporaryDirectory();
  const vm = { ...place(directory, "x"), egress: { mode: "internet" as const, allow: [], deny: [] } };
  const error = (await new UserNetwork("passt").attach(vm, never).catch((thrown: unknown) => thrown)) as HypeError;
  expect(error.code).toBe("egress_unsupported");
  expect(existsSync(`${vm.runDir}/net`)).toBe(false);
});

test("a cancelled attachment leaves no process", async () => {
  using directory = temporaryDirectory();
  const vm = place(directory, "x");
  const error = (await new UserNetwork("passt")
    .attach(vm, AbortSignal.abort())
    .catch((thrown: unknown) => thrown)) as HypeError;
  expect(error.code).toBe("cancelled");
  expect(isAlive(JSON.parse(readFileSync(`${vm.runDir}/net.pid`, "utf8")))).toBe(false);
});

/** What the kernel says of a passt that has shut itself in: it does so right after it has said that it is ready. */
async function shutIn(pid: number): Promise<string> {
  for (;;) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    if (/^Seccomp:\t2$/m.test(status)) return status;
    await new Promise((next) => setImmediate(next));
  }
}

test.skipIf(process.getuid?.() !== 0)(
  "passt of a root server has the VM's user, no capability, no new privileges, and lives in the VM's cgroup (skipped for other users)",
  async () => {
    using directory = temporaryDirectory();
    const uid = 1_900_000_077;
    const cgroups = Cgroups.open(directory.path);
    const cgroup = "reason" in cgroups ? null : await cgroups.make("01a204df-d17a-73f6-9c2c-ca675335e451");
    const network = new UserNetwork("passt");
    const vm = place(directory, "one");
    const attachment = await network.attach({ ...vm, uid, cgroup }, never);
    try {
      const { pid } = attachment.record.processes[0]!;
      const status = await shutIn(pid);
      expect(status).toMatch(new RegExp(`^Uid:(\\t${uid}){4}$`, "m"));
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      const socket = statSync(`${vm.runDir}/net/net.sock`);
      expect([socket.uid, statSync(`${vm.runDir}/net`).uid]).toEqual([uid, uid]);
      if (cgroup) expect(readFileSync(`${cgroup}/cgroup.procs`, "utf8").trim().split("\n")).toContain(String(pid));
    } finally {
      if (cgroup) await releaseCgroup(cgroup);
      await network.detach(attachment.record);
    }
    expect(await network.alive(attachment.record)).toBe(false);
  },
);

test.skipIf(process.getuid?.() !== 0)(
  "without a user of its own a VMM that is root without capabilities can reach passt's socket (skipped for other users)",
  async () => {
    using directory = temporaryDirectory();
    const network = new UserNetwork("passt");
    const vm = place(directory, "one");
    const attachment = await network.attach(vm, never);
    try {
      const [socket, parent] = [statSync(`${vm.runDir}/net/net.sock`), statSync(`${vm.runDir}/net`)];
      expect([socket.uid, parent.uid]).toEqual([0, 0]);
      expect(readFileSync(`/proc/${attachment.record.processes[0]!.pid}/status`, "utf8")).toMatch(
        /^Uid:(\t65534){4}$/m,
      );
    } finally {
      await network.detach(attachment.record);
    }
  },
);
