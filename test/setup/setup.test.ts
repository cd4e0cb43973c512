import { afterEach, describe, expect, test } from "bun:test";
import { lstatSync, readFileSync } from "node:fs";
import type { Action } from "../../src/setup/actions/action.ts";
import type { StepOutlook } from "../../src/setup/run-plan.ts";
import { canMakeHosts, type ThrowawayHost } from "../lib/throwaway-host.ts";
import { installedHost } from "./installed-host.ts";

type Outcome = { steps: { id: string; status: string }[]; notes: string[]; by_hand: string[] };

let host: ThrowawayHost;
afterEach(async () => {
  await host[Symbol.asyncDispose]();
});

const setup = async (...flags: string[]): Promise<Outcome> =>
  JSON.parse(await host.ok(["hype", "setup", "--json", ...flags]));
const refused = async (env: Record<string, string>, ...flags: string[]) => {
  const { code, stderr } = await host.run(["hype", "setup", "--json", ...flags], env);
  return {
    exit: code,
    ...(JSON.parse(stderr.split("\n").find((line) => line.startsWith("{")) ?? "{}") as {
      code: string;
      detail: string;
    }),
  };
};
const actionsOf = (outlook: { steps: StepOutlook[] }) => outlook.steps.flatMap(({ actions }) => actions);
const pathsOf = (actions: { action: Action }[]) =>
  actions.flatMap(({ action }) => (action.kind === "file" || action.kind === "directory" ? [action.path] : []));
/** What useradd and its like write. */
const ACCOUNT_FILES = ["/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow"];

describe.if(canMakeHosts)("hype setup, without systemd", () => {
  test("twice, then uninstalled: the second changes nothing, afterwards nothing is left", async () => {
    host = await installedHost();
    const first = await setup();
    expect(first.steps.filter(({ status }) => status === "changed").map(({ id }) => id)).toEqual([
      ...["directories", "account", "settings", "kernel", "logs", "completion", "units"],
    ]);
    expect(first.by_hand).toEqual(["/usr/local/bin/hype network up", "/usr/local/bin/hype serve"]);
    expect(await host.ok(["sysctl", "-n", "net.ipv4.ip_forward"])).toBe("1\n");
    const after = host.changes();
    expect((await setup()).steps.map(({ status }) => status)).toEqual(Array(8).fill("unchanged"));
    expect(host.changes()).toEqual(after);
    await setup("--uninstall");
    expect(host.changes()).toEqual([]);
    expect(await host.ok(["sysctl", "-n", "net.ipv4.ip_forward"])).toBe("0\n");
    expect(await setup("--uninstall")).toMatchObject({ vms: [], remarks: [] });
  });

  test("a dry run names exactly what a real run changes, and changes nothing itself", async () => {
    host = await installedHost();
    const outlook = JSON.parse(await host.ok(["hype", "setup", "--dry-run", "--json"])) as { steps: StepOutlook[] };
    expect(host.changes()).toEqual([]);
    await setup();
    const planned = actionsOf(outlook).filter(({ isDone }) => !isDone);
    const expected = [...pathsOf(planned), ...ACCOUNT_FILES, "/etc/overhyped/setup.json"];
    expect(host.changes()).toEqual(expected.sort());
    for (const { action } of planned) {
      if (action.kind !== "file" && action.kind !== "directory") continue;
      const found = lstatSync(host.path(action.path));
      expect([action.path, found.mode & 0o7777]).toEqual([action.path, action.mode]);
      if (action.kind === "file") expect(readFileSync(host.path(action.path), "utf8")).toBe(action.content);
    }
  });

  test("a dry run needs neither root nor programs, and its words hold every file and command", async () => {
    host = await installedHost();
    const { code, stdout } = await host.run(
      [
        "/usr/bin/setpriv",
        "--reuid=1000",
        "--regid=1000",
        "--clear-groups",
        "/usr/local/bin/hype",
        "setup",
        "--dry-run",
      ],
      { PATH: "/nonexistent" },
    );
    expect(code).toBe(0);
    for (const words of [
      "$ groupadd --system overhyped",
      "$ useradd --system --gid overhyped",
      "$ sysctl -q -w net.ipv4.ip_forward=1",
      "+ directory /var/lib/overhyped, mode 0711, root:root",
      "+ file /etc/overhyped/hype.env, mode 0640, root:overhyped",
      "| ExecStart=/usr/local/bin/hype serve",
    ])
      expect(stdout).toContain(words);
    expect(host.changes()).toEqual([]);
  });

  test("a step that fails takes back what this run changed, and says so", async () => {
    host = await installedHost({
      prepare: "printf '#!/bin/sh\\necho no such key >&2\\nexit 255\\n' > $R/usr/sbin/sysctl",
    });
    const fault = await refused({});
    expect([fault.exit, fault.code]).toEqual([1, "setup_failed"]);
    expect(fault.detail).toContain("Kernel settings: `sysctl -q -w net.ipv4.ip_forward=1` ended with 255: no such key");
    expect(fault.detail).toContain("what this run had changed was undone");
    expect(host.changes()).toEqual([]);
  });

  test("a second run that fails leaves what the first one made", async () => {
    host = await installedHost();
    await setup();
    await host.ok([
      "sh",
      "-c",
      "rm /etc/tmpfiles.d/overhyped.conf; sysctl -w net.ipv4.ip_forward=0; mv /usr/sbin/sysctl /mnt; ln -s /bin/false /usr/sbin/sysctl",
    ]);
    const before = host.changes();
    expect((await refused({})).code).toBe("setup_failed");
    expect(host.changes()).toEqual(before);
    await host.ok(["mv", "-f", "/mnt/sysctl", "/usr/sbin/sysctl"]);
    await setup();
    await setup("--uninstall");
    expect(host.changes()).toEqual([]);
  });

  test("killed at any change, it goes on or is taken back whole", async () => {
    host = await installedHost();
    // The program that makes the user kills the setup that called it.
    await host.ok([
      "sh",
      "-c",
      "printf '#!/bin/sh\\n/usr/sbin/useradd \"$@\"; kill -9 $PPID\\n' > /usr/local/sbin/useradd; chmod 755 /usr/local/sbin/useradd",
    ]);
    expect((await host.run(["hype", "setup"])).code).toBe(137);
    await host.ok(["rm", "/usr/local/sbin/useradd"]);
    expect(host.changes()).toContain("/etc/passwd");
    await setup("--uninstall");
    expect(host.changes()).toEqual([]);
    await setup();
    await setup("--uninstall");
    expect(host.changes()).toEqual([]);
  });

  test("what was there before stays or comes back", async () => {
    host = await installedHost({
      prepare: `chroot $R groupadd --system overhyped
chroot $R useradd --system --gid overhyped --shell /bin/sh overhyped
chroot $R groupadd --system kvm 2>/dev/null || true
mkdir -m 700 $R/var/lib/overhyped; echo mine > $R/etc/logrotate.d/overhyped; chmod 600 $R/etc/logrotate.d/overhyped`,
    });
    await setup();
    expect(await host.ok(["id", "-nG", "overhyped"])).toBe("overhyped kvm\n");
    await setup("--uninstall");
    expect(host.changes()).toEqual([]);
  });

  test("settings: made once from the environment, kept with their edits; a purge removes them", async () => {
    host = await installedHost();
    await host.ok(["hype", "setup", "--json"], { OVERHYPED_SUBNET: "10.99.0.0/24", OVERHYPED_HOME: "/srv/hype/state" });
    const settings = host.path("/etc/overhyped/hype.env");
    expect(readFileSync(settings, "utf8")).toContain("\nOVERHYPED_SUBNET=10.99.0.0/24\n");
    expect(lstatSync(host.path("/srv/hype/state/images")).isDirectory()).toBe(true);
    await host.ok([
      "sh",
      "-c",
      "echo OVERHYPED_LOG_LEVEL=debug >> /etc/overhyped/hype.env; echo key > /srv/hype/state/admin.key",
    ]);
    expect((await setup()).steps.every(({ status }) => status === "unchanged")).toBe(true);
    const { remarks } = JSON.parse(await host.ok(["hype", "setup", "--uninstall", "--json"])) as { remarks: string[] };
    expect(remarks).toContain("/etc/overhyped/hype.env is kept: it was edited");
    expect(readFileSync(settings, "utf8")).toEndWith("OVERHYPED_LOG_LEVEL=debug\n");
    expect(host.changes()).toEqual([
      "/etc/overhyped",
      "/etc/overhyped/hype.env",
      "/srv/hype",
      "/srv/hype/state",
      "/srv/hype/state/admin.key",
    ]);
    await setup();
    expect((await refused({}, "--uninstall", "--purge")).code).toBe("usage");
    await host.ok(["hype", "setup", "--uninstall", "--purge", "--yes", "--json"]);
    expect(host.changes().filter((path) => !path.startsWith("/srv/hype"))).toEqual([]);
  });

  test.each([
    {
      what: "an overlapping network",
      prepare: "ip link add name lan0 type bridge; ip address add 192.168.127.9/24 dev lan0; ip link set lan0 up",
      said: "overlaps 192.168.127.0/24 of lan0",
    },
    {
      what: "a program others can replace",
      prepare: "chmod 777 $R/usr/local/bin",
      said: "/usr/local/bin can be written by others than root",
    },
    {
      what: "a link in a directory's place",
      prepare: "ln -s /root $R/var/log/overhyped",
      said: "/var/log/overhyped is there and is no directory",
    },
    {
      what: "a damaged record",
      prepare: "mkdir $R/etc/overhyped; echo '{' > $R/etc/overhyped/setup.json",
      said: "is not what `hype setup` wrote",
    },
  ])("$what is refused before anything is changed", async ({ prepare, said }) => {
    host = await installedHost({ prepare });
    const fault = await refused({});
    expect(fault.code).toBe("setup_failed");
    expect(fault.detail).toContain(said);
    expect(host.changes()).toEqual([]);
  });

  test("missing programs are named before anything is changed", async () => {
    host = await installedHost({ prepare: "rm $R/usr/sbin/groupadd $R/usr/sbin/useradd" });
    const fault = await refused({});
    expect([fault.code, fault.detail]).toEqual(["tool_missing", expect.stringContaining("groupadd, useradd")]);
    expect(host.changes()).toEqual([]);
  });

  test("a server that was started by hand is not taken from under its VMs", async () => {
    host = await installedHost();
    await host.ok(["hype", "setup", "--json"], { OVERHYPED_NETWORK: "user" });
    // Returns when the server has said that it serves.
    const serve =
      "mkfifo /mnt/said; hype serve --json >/mnt/said 2>/mnt/log </dev/null & echo $! >/mnt/pid; read said </mnt/said";
    await host.ok(["sh", "-c", serve]);
    const before = host.changes();
    const fault = await refused({}, "--uninstall");
    expect([fault.code, fault.detail]).toEqual(["setup_failed", expect.stringContaining("started by hand")]);
    expect(host.changes()).toEqual(before);
    await host.ok(["sh", "-c", "kill $(cat /mnt/pid); tail --pid=$(cat /mnt/pid) -f /dev/null"]);
    await setup("--uninstall", "--purge", "--yes");
    expect(host.changes()).toEqual([]);
  });

  test("it is root's business", async () => {
    host = await installedHost();
    const { code, stderr } = await host.run(["setpriv", "--reuid=1000", "--clear-groups", "hype", "setup"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("root_required")]);
  });
});
