import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TEST_IMAGE_DIR } from "../lib/hype.ts";
import { canMakeHosts } from "../lib/throwaway-host.ts";
import { IMAGES, installedHost } from "../setup/installed-host.ts";

const canRun = canMakeHosts && existsSync("/lib/systemd/systemd") && existsSync(join(TEST_IMAGE_DIR, "default"));

/** A machine from bare to bare: what an operator types, on a host whose init is systemd. */
describe.if(canRun)("a production host", () => {
  test("set up, a VM in a slot under its own user, server stopped, killed and restarted, all taken back", async () => {
    await using host = await installedHost({ systemd: true, images: true });
    const vm = async () =>
      JSON.parse(await host.ok(["hype", "vms", "get", "demo", "--json"])) as Record<string, unknown>;
    const vmms = async () => (await host.run(["pgrep", "qemu"])).stdout;
    // The machine of the test may have no KVM that works; a probe would take its time to find out.
    await host.ok(["hype", "setup"], { OVERHYPED_ACCELERATOR: "tcg", OVERHYPED_BOOT_TIMEOUT_MS: "300000" });
    await host.ok(["sh", "-c", `cp -r ${IMAGES}/. /var/lib/overhyped/images/`]);
    expect((await host.run(["hype", "doctor", "--json"])).code).toBe(0);

    await host.ok(["hype", "vms", "create", "demo"]);
    expect(await vm()).toMatchObject({ status: "running", network: "slot", ip_address: "192.168.127.2" });
    const { isolation } = (await vm()) as { isolation: { uid: number; measures: string[] } };
    expect(isolation.uid).toBe(1_900_000_002);
    for (const measure of ["own-user", "no-capabilities", "no-new-privileges", "network-namespace", "seccomp"])
      expect(isolation.measures).toContain(measure);
    const pid = await vmms();

    await host.ok(["systemctl", "restart", "overhyped"]);
    expect(await host.ok(["hype", "eval", "demo", "6*7"])).toBe("42\n");
    const server = (await host.ok(["systemctl", "show", "overhyped", "--property=MainPID", "--value"])).trim();
    await host.ok(["sh", "-c", `kill -9 ${server}; tail --pid=${server} -f /dev/null; systemctl start overhyped`]);
    expect(await host.ok(["hype", "eval", "demo", "6*7"])).toBe("42\n");
    expect(await vmms()).toBe(pid);

    const refused = await host.run(["hype", "setup", "--uninstall"]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("1 VM (demo) will be stopped: add --yes"),
    ]);
    expect(await vmms()).toBe(pid);
    // With the server gone too, its VMs are still ended before the ground is taken from under them.
    await host.ok(["systemctl", "stop", "overhyped"]);
    expect(await vmms()).toBe(pid);
    await host.ok(["hype", "setup", "--uninstall", "--yes"]);

    expect(await vmms()).toBe("");
    expect(await host.ok(["sh", "-c", "ls /sys/class/net"])).toBe("lo\n");
    expect(await host.ok(["nft", "list", "ruleset"])).toBe("");
    expect(await host.ok(["sh", "-c", "ls /run/netns; ls -d /sys/fs/cgroup/overhyped 2>/dev/null || true"])).toBe("");
    expect(host.changes().filter((path) => !/^\/var\/(lib|log)\/overhyped/.test(path))).toEqual([]);
    await host.ok(["hype", "setup", "--uninstall", "--purge", "--yes"]);
    expect(host.changes()).toEqual([]);
  });
});
