import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync } from "node:fs";
import { canMakeHosts, type ThrowawayHost } from "../lib/throwaway-host.ts";
import { examined, installedHost } from "./installed-host.ts";

/** A machine whose init is systemd itself: the units as they really run, hardening included. */
const canRun = canMakeHosts && lstatSync("/lib/systemd/systemd", { throwIfNoEntry: false }) !== undefined;

describe.if(canRun)("hype setup, with systemd", () => {
  let host: ThrowawayHost;
  beforeAll(async () => {
    host = await installedHost({ systemd: true });
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const property = async (unit: string, name: string) =>
    (await host.ok(["systemctl", "show", unit, `--property=${name}`, "--value"])).trim();
  const SERVER = "overhyped.service";
  const setup = async (...flags: string[]) =>
    JSON.parse(await host.ok(["hype", "setup", "--json", ...flags])) as { steps: { id: string; status: string }[] };

  test("the server serves when setup returns, at boot as well, and doctor finds nothing wrong with it", async () => {
    expect((await setup()).steps.every(({ status }) => status === "changed")).toBe(true);
    for (const unit of [SERVER, "overhyped-network.service"])
      expect([unit, await property(unit, "ActiveState"), await property(unit, "UnitFileState")]).toEqual([
        unit,
        "active",
        "enabled",
      ]);
    expect(JSON.parse(await host.ok(["hype", "vms", "list", "--json"]))).toEqual({ items: [], total: 0 });
    const { check } = await examined(host);
    for (const id of ["network", "slots", "firewall", "kernel", "setup", "service", "state", "server", "leftovers"])
      expect([id, check(id).status, check(id).seen]).toEqual([
        id,
        expect.stringMatching(/ok|note/),
        expect.any(String),
      ]);
    expect((await setup()).steps.every(({ status }) => status === "unchanged")).toBe(true);
  });

  test("systemd-analyze finds no fault in the units", async () => {
    const units = ["overhyped.service", "overhyped-network.service"].map((name) => `/etc/systemd/system/${name}`);
    expect(await host.run(["systemd-analyze", "verify", "--man=no", ...units])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });

  test("the server has no more power than it needs, and nothing of Bun's own switches", async () => {
    const pid = await property(SERVER, "MainPID");
    const status = await host.ok(["cat", `/proc/${pid}/status`]);
    expect(/^NoNewPrivs:\t1$/m.test(status)).toBe(true);
    expect(/^Seccomp:\t2$/m.test(status)).toBe(true);
    // Neither modules, nor raw devices, nor the clock: CAP_SYS_MODULE 16, CAP_SYS_RAWIO 17, CAP_SYS_TIME 25, CAP_MKNOD 27.
    const bounding = BigInt(`0x${/^CapBnd:\t([0-9a-f]+)$/m.exec(status)?.[1]}`);
    for (const capability of [16n, 17n, 25n, 27n]) expect((bounding >> capability) & 1n).toBe(0n);
    // A mount namespace of its own would hide `ip netns` from the host.
    expect(await host.ok(["readlink", `/proc/${pid}/ns/mnt`])).toBe(await host.ok(["readlink", "/proc/1/ns/mnt"]));
  });

  test("it comes back when it is killed; a wrong setting is said and not tried again", async () => {
    const before = await property(SERVER, "MainPID");
    await host.ok(["sh", "-c", `kill -9 ${before}; tail --pid=${before} -f /dev/null`]);
    // Waits for the start that is due: a job of systemd's own.
    await host.ok(["systemctl", "start", SERVER]);
    expect(await property(SERVER, "MainPID")).not.toBe(before);
    expect((await host.run(["hype", "vms", "list"])).code).toBe(0);
    await host.ok(["sh", "-c", "echo OVERHYPED_LOG_LEVEL=loud >> /etc/overhyped/hype.env"]);
    expect((await host.run(["systemctl", "restart", SERVER])).code).toBe(1);
    expect(await property(SERVER, "ActiveState")).toBe("failed");
    expect(await host.ok(["journalctl", "-u", SERVER, "-n", "5", "-o", "cat"])).toContain("OVERHYPED_LOG_LEVEL");
    await host.ok([
      "sh",
      "-c",
      "sed -i '/loud/d' /etc/overhyped/hype.env; systemctl reset-failed; systemctl start overhyped",
    ]);
  });

  test("an edited unit is seen by doctor and mended by setup, which restarts the server and nothing else", async () => {
    const before = await property(SERVER, "MainPID");
    await host.ok(["sh", "-c", "echo '# mine' >> /etc/systemd/system/overhyped.service"]);
    const { check } = await examined(host);
    expect(check("setup")).toMatchObject({ status: "warn", seen: expect.stringContaining("overhyped.service") });
    const { steps } = await setup();
    expect(steps.filter(({ status }) => status === "changed").map(({ id }) => id)).toEqual(["units", "start"]);
    expect(await property(SERVER, "MainPID")).not.toBe(before);
    expect((await host.run(["hype", "vms", "list"])).code).toBe(0);
  });

  test("what flushes every rule of the host does not last", async () => {
    await host.ok(["nft", "flush", "ruleset"]);
    await host.ok(["systemctl", "reload", "overhyped-network.service"]);
    expect(await host.ok(["nft", "list", "tables"])).toContain("table inet overhyped");
  });

  test("a unit that does not start: its own words, and everything is taken back", async () => {
    await setup("--uninstall", "--purge", "--yes");
    expect(host.changes()).toEqual([]);
    await host.ok(["ip", "link", "add", "name", "hypebr0", "type", "bridge"]); // a stranger's
    const { code, stderr } = await host.run(["hype", "setup"]);
    await host.ok(["ip", "link", "delete", "hypebr0"]);
    expect(code).toBe(1);
    expect(stderr).toContain("overhyped-network.service does not start");
    expect(stderr).toContain("hypebr0");
    expect(stderr).toContain("what this run had changed was undone");
    expect(host.changes()).toEqual([]);
  });

  test("uninstalled: no unit, no bridge, no rule, no process, no file but the data", async () => {
    await setup();
    await setup("--uninstall");
    expect(await host.ok(["systemctl", "list-units", "--all", "--no-legend", "overhyped*"])).toBe("");
    expect(await host.ok(["sh", "-c", "ls /sys/class/net"])).toBe("lo\n");
    expect(await host.ok(["nft", "list", "ruleset"])).toBe("");
    expect((await host.run(["pgrep", "-a", "hype"])).stdout).toBe("");
    expect(await host.ok(["sh", "-c", "ls /run/netns 2>/dev/null || true"])).toBe("");
    expect(host.changes().every((path) => path.startsWith("/var/lib/overhyped"))).toBe(true);
    expect(host.changes()).toContain("/var/lib/overhyped/admin.key");
    await setup("--uninstall", "--purge", "--yes");
    expect(host.changes()).toEqual([]);
  });
});
