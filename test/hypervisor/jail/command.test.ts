import { describe, expect, test } from "bun:test";
import { chmodSync, readlinkSync, writeFileSync } from "node:fs";
import { type Entry, enter } from "../../../src/hypervisor/jail/command.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

const isRoot = process.getuid?.() === 0;
const UID = 1_900_000_077;

const entry = (change: Partial<Entry> = {}): Entry => ({
  uid: null,
  groups: [],
  dropCapabilities: "none",
  noNewPrivileges: true,
  cgroup: null,
  files: [],
  network: "host",
  fileLimitMb: 64,
  openFiles: 1024,
  maxTasks: null,
  ...change,
});
const jailed: Partial<Entry> = { uid: UID, dropCapabilities: "all", network: "empty", maxTasks: 300 };

async function say(command: readonly string[], cwd = "/"): Promise<{ pid: number; code: number; text: string }> {
  const child = Bun.spawn([...command], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { pid: child.pid, code, text: out + err };
}
const statusOf = (text: string, field: string): string =>
  new RegExp(`^${field}:[ \\t]*(.*?)[ \\t]*$`, "m").exec(text)?.[1] ?? "(none)";

describe("what anybody can do to himself", () => {
  test("limits, umask, no new privileges, and the pid that was started", async () => {
    const { pid, code, text } = await say(
      enter(entry(), [
        "/bin/sh",
        "-c",
        "echo me: $$; umask; cat /proc/$$/limits /proc/$$/status /proc/$$/oom_score_adj",
      ]),
    );
    expect(code).toBe(0);
    expect(statusOf(text, "me")).toBe(String(pid));
    expect(text).toContain("\n0077\n");
    expect(text).toMatch(/^Max core file size +0 +0 /m);
    expect(text).toMatch(/^Max file size +67108864 +67108864 /m);
    expect(text).toMatch(/^Max open files +1024 +1024 /m);
    expect(statusOf(text, "NoNewPrivs")).toBe("1");
    expect(text.trimEnd().endsWith("\n500")).toBe(true);
  });

  test("a write over the limit fails and does not end the writer", async () => {
    using directory = temporaryDirectory();
    const script = "head -c 2000000 /dev/zero >big || echo failed; wc -c <big";
    const { text } = await say(enter(entry({ fileLimitMb: 1 }), ["/bin/sh", "-c", script]), directory.path);
    expect(text).toContain("failed");
    expect(text).toMatch(/^1048576$/m);
  });

  test("arguments arrive as they are", async () => {
    const hard = ["a b", "$HOME", "`id`", "'\"", "--", "-x", ""];
    const { text } = await say(enter(entry(), ["printf", "%s|", ...hard]));
    expect(text).toBe(`${hard.join("|")}|`);
  });

  test("a cgroup that is not there stops it before the program", async () => {
    const { code, text } = await say(enter(entry({ cgroup: "/nowhere/at/all" }), ["echo", "ran"]));
    expect([code, text.includes("ran")]).toEqual([1, false]);
  });
});

describe.skipIf(!isRoot)("as root (skipped for other users: only root can give a process another user)", () => {
  test("a user of its own, no groups, no capability even in the bounding set, a bounded number of processes", async () => {
    const { text } = await say(enter(entry(jailed), ["cat", "/proc/self/status", "/proc/self/limits"]));
    for (const field of ["Uid", "Gid"]) expect(statusOf(text, field)).toBe(Array(4).fill(UID).join("\t"));
    expect(statusOf(text, "Groups")).toBe("");
    for (const field of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect([field, statusOf(text, field)]).toEqual([field, "0000000000000000"]);
    expect(statusOf(text, "NoNewPrivs")).toBe("1");
    expect(text).toMatch(/^Max processes +300 +300 /m);
  });

  test("further groups are these alone", async () => {
    const { text } = await say(enter(entry({ ...jailed, groups: [1234] }), ["cat", "/proc/self/status"]));
    expect(statusOf(text, "Groups")).toBe("1234");
  });

  test("root without capabilities is refused what only capabilities allow", async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("file"), "");
    const { text } = await say(
      enter(entry({ dropCapabilities: "all" }), [
        "/bin/sh",
        "-c",
        "cat /proc/self/status; chown 1 file || echo refused",
      ]),
      directory.path,
    );
    expect(statusOf(text, "Uid")).toBe("0\t0\t0\t0");
    expect(statusOf(text, "CapBnd")).toBe("0000000000000000");
    expect(text).toContain("refused");
  });

  test("files behind closed doors are opened for it, and nothing beside them", async () => {
    using directory = temporaryDirectory(); // mode 0700, root's
    writeFileSync(directory.join("kernel"), "the kernel", { mode: 0o644 });
    writeFileSync(directory.join("secret"), "the secret", { mode: 0o644 });
    writeFileSync(directory.join("console"), "");
    chmodSync(directory.join("console"), 0o666);
    const files = [
      { path: directory.join("kernel"), mode: "read" as const },
      { path: directory.join("console"), mode: "append" as const },
    ];
    const script = `cat /proc/self/fd/5; echo said >>/proc/self/fd/6; cat ${directory.join("secret")} || echo closed`;
    const { text } = await say(enter(entry({ ...jailed, files }), ["/bin/sh", "-c", script]));
    expect(text).toContain("the kernel");
    expect(text).toContain("closed");
    expect(text).not.toContain("the secret");
    expect(await Bun.file(directory.join("console")).text()).toBe("said\n");
  });

  test("a network of its own has nothing in it but a loopback that is down", async () => {
    const { text } = await say(
      enter(entry(jailed), ["/bin/sh", "-c", "readlink /proc/self/ns/net; cat /proc/net/dev"]),
    );
    expect(text).not.toContain(readlinkSync("/proc/self/ns/net"));
    expect(text.match(/^ *\S+:(?= )/gm)?.map((name) => name.trim())).toEqual(["lo:"]);
  });

  test("a named network namespace is entered before root is given up", async () => {
    // Names of namespaces live in /run/netns: in a mount namespace of our own they are nobody else's.
    const setUp =
      'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip netns add jail && ip -n jail tuntap add t0 mode tap && exec "$@"';
    const command = enter(entry({ ...jailed, network: { name: "jail" } }), [
      "cat",
      "/proc/net/dev",
      "/proc/self/status",
    ]);
    const { text } = await say(["unshare", "--net", "--mount", "/bin/sh", "-c", setUp, "sh", ...command]);
    expect(text).toMatch(/^ *t0:/m);
    expect(statusOf(text, "CapBnd")).toBe("0000000000000000");
  });
});
