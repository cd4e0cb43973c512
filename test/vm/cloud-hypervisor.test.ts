import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Vm } from "../../src/contract/index.ts";
import { fakeCloudHypervisor } from "../lib/fake-cloud-hypervisor.ts";
import { TEST_IMAGE_DIR } from "../lib/hype.ts";
import { canMakeHosts } from "../lib/throwaway-host.ts";
import { IMAGES, installedHost } from "../setup/installed-host.ts";

const canRun = canMakeHosts && existsSync(join(TEST_IMAGE_DIR, "default"));
const PLAYWRIGHT = Bun.resolveSync("playwright-core", import.meta.dir);

/** As distributions have it; this machine may keep it to root, and then no other user can be a VMM's. */
const OPEN_KVM = "[ ! -e $R/dev/kvm ] || { mknod -m 666 $T/kvm c 10 232; mount --bind $T/kvm $R/dev/kvm; }";

/** What a real client does over the door. */
const DRIVE = `
  import { chromium } from ${JSON.stringify(PLAYWRIGHT)};
  const browser = await chromium.connectOverCDP(process.argv.at(-1));
  const page = await browser.contexts()[0].newPage();
  await page.goto("data:text/html,<title>Over the door</title><button onclick='this.textContent=6*7'>go</button>");
  await page.getByRole("button").click();
  console.log(await page.title(), await page.getByRole("button").textContent(), (await page.screenshot()).length > 100);
  await browser.close();
  process.exit(0);`;

/** From create to CDP to delete through Cloud Hypervisor's driver, a jail and a slot, with the guest emulated by the stand-in. */
describe.if(canRun)("a VM of Cloud Hypervisor", () => {
  test("is created in a slot, driven by Playwright, outlives its server, and goes without a trace", async () => {
    await using host = await installedHost({ images: true, prepare: OPEN_KVM });
    const [here, there] = [host.path("/srv/fake-ch"), "/srv/fake-ch"];
    const fake = fakeCloudHypervisor({ guest: "qemu" }, { at: { here, there }, standalone: true });
    await host.ok(["hype", "setup"], {
      OVERHYPED_HYPERVISOR: "cloud-hypervisor",
      OVERHYPED_CLOUD_HYPERVISOR: fake.program,
      OVERHYPED_NETWORK: "slot",
      OVERHYPED_BOOT_TIMEOUT_MS: "300000",
    });
    await host.ok(["hype", "network", "up"]);
    await host.ok(["sh", "-c", `cp -r ${IMAGES}/. /var/lib/overhyped/images/`]);
    const serve = () =>
      host.ok([...["sh", "-c", "setsid hype serve >>/var/log/overhyped/serve.out 2>&1 </dev/null & echo $!"]]);
    const answers = () =>
      host.ok(["sh", "-c", "for i in $(seq 200); do hype vms list -q && exit 0; sleep 0.05; done; exit 1"]);
    const server = (await serve()).trim();
    await answers();

    await host.ok(["hype", "vms", "create", "demo"]);
    const vm = JSON.parse(await host.ok(["hype", "vms", "get", "demo", "--json"])) as Vm;
    expect(vm).toMatchObject({ status: "running", hypervisor: "cloud-hypervisor", network: "slot" });
    expect(vm.isolation).toMatchObject({ uid: 1_900_000_002 });
    const url = (await host.ok(["hype", "cdp", "demo"])).trim();
    // The checkout may lie where the host has a directory of its own.
    expect(await host.onItsNetwork([process.execPath, "-e", DRIVE, "--", url])).toEqual({
      code: 0,
      stdout: "Over the door 42 true\n",
      stderr: "",
    });

    await host.ok(["sh", "-c", `kill -9 ${server}; tail --pid=${server} -f /dev/null`]);
    await serve();
    await answers();
    expect(await host.ok(["hype", "eval", "demo", "6*7"])).toBe("42\n");
    await host.ok(["hype", "vms", "pause", "demo"]);
    await host.ok(["hype", "vms", "resume", "demo"]);
    await host.ok(["hype", "vms", "stop", "demo"]);
    expect(JSON.parse(await host.ok(["hype", "vms", "get", "demo", "--json"]))).toMatchObject({
      status: "stopped",
      status_reason: null,
    });
    await host.ok(["hype", "vms", "delete", "demo"]);

    expect(fake.violations()).toEqual([]);
    expect(fake.starts()).toHaveLength(1);
    expect((await host.run(["pgrep", "-f", "qemu-system|stand-in"])).stdout).toBe("");
    expect(await host.ok(["sh", "-c", "ls /run/overhyped"])).toBe("");
    await host.ok(["sh", "-c", "pkill -TERM -x hype; while pgrep -x hype; do sleep 0.05; done"]);
    expect(await host.ok(["ls", "/run/netns"])).toBe("");
  }, 400_000);
});
