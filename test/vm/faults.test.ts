import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromium } from "playwright-core";
import type { Vm, VmEvent } from "../../src/contract/index.ts";
import { connect } from "../../src/client/client.ts";
import { HYPE, SealedHome, type Served } from "../lib/hype.ts";

/** What goes wrong in or under a VM becomes visible, with its reason, and nothing is left of it. */
describe("faults", () => {
  let home: SealedHome;
  let server: Served;
  const get = async (name: string): Promise<Vm> => JSON.parse(await home.ok(["vms", "get", name, "--json"]));

  /** Resolves with the first event of the VM that fits; events from before count too. */
  async function event(name: string, type: VmEvent["type"], after = 0): Promise<VmEvent> {
    const client = connect({ base: server.url, key: server.key });
    for await (const found of client.events.stream({ after, signal: AbortSignal.timeout(90_000) }))
      if (found.vm_name === name && found.type === type) return found;
    throw new Error(`no ${type} of ${name}`);
  }

  beforeAll(async () => {
    home = new SealedHome();
    server = await home.serve();
  }, 60_000);
  afterAll(() => home[Symbol.asyncDispose](), 60_000);

  test("Chromium dies: it is said, counted, and a new one takes over", async () => {
    await home.ok(["vms", "create", "browser"]);
    const browser = await chromium.connectOverCDP((await home.ok(["cdp", "browser"])).trim());
    const session = await browser.newBrowserCDPSession();
    const gone = new Promise<void>((resolve) => browser.on("disconnected", () => resolve()));
    await session.send("Browser.crash").catch(() => {});
    await gone;
    const died = await event("browser", "VM_BROWSER_DIED");
    await event("browser", "VM_BROWSER_READY", died.seq);
    expect((await home.ok(["eval", "browser", "40 + 2"])).trim()).toBe("42");
    expect(await get("browser")).toMatchObject({ status: "running", browser_restarts: 1 });
  }, 180_000);

  test("the VMM is killed: crashed, with the reason, and open CDP sockets close with it", async () => {
    const { pid } = await get("browser");
    const { ws_url } = JSON.parse(await home.ok(["cdp", "browser", "--json"])) as { ws_url: string };
    const socket = new WebSocket(ws_url);
    await new Promise((resolve) => (socket.onopen = resolve));
    const closed = new Promise<CloseEvent>((resolve) => (socket.onclose = resolve));
    process.kill(pid!, "SIGKILL");
    const { code, reason } = await closed;
    expect(code).toBeGreaterThanOrEqual(1001);
    expect(reason).not.toBe("");
    await event("browser", "VM_CRASHED");
    expect(await get("browser")).toMatchObject({ status: "crashed", pid: null, endpoint: null });
    await home.ok(["vms", "delete", "browser"]);
  }, 60_000);

  test("a guest that cannot boot: the command fails with the console's last lines, the VM is kept as crashed", async () => {
    await using broken = new SealedHome();
    const initramfs = join(broken.path, "initramfs");
    writeFileSync(initramfs, "this is no archive\n");
    await broken.serve({ OVERHYPED_INITRAMFS: initramfs });
    const created = await broken.run(["vms", "create", "broken"]);
    expect(created.code).toBe(1);
    expect(created.stderr).toContain("boot_failed");
    expect(created.stderr).toContain("Kernel panic");
    const vm: Vm = JSON.parse(await broken.ok(["vms", "get", "broken", "--json"]));
    expect(vm).toMatchObject({ status: "crashed", pid: null, endpoint: null });
    expect(vm.console_tail).toContain("Kernel panic");
  }, 120_000);

  test("a kernel that is no kernel: said so, and nothing is left of the VM", async () => {
    await using broken = new SealedHome();
    const kernel = join(broken.path, "vmlinuz");
    writeFileSync(kernel, "MZ, or so\n".repeat(1000));
    await broken.serve({ OVERHYPED_KERNEL: kernel });
    const created = await broken.run(["vms", "create", "broken"]);
    expect(created.code).toBe(1);
    expect(created.stderr).toMatch(/image_invalid.*neither a bzImage nor an ELF/s);
  }, 120_000);

  test("parameters that are ours are refused before anything is made", async () => {
    const created = await home.run(["vms", "create", "broken", "--kernel-cmdline", "hype.root=no-such-disk"]);
    expect(created.code).toBe(2);
    expect((await home.run(["vms", "get", "broken"])).stderr).toContain("vm_not_found");
  });

  test("Ctrl-C during create undoes it", async () => {
    const child = Bun.spawn([HYPE, "vms", "create", "halfway"], {
      env: home.env,
      stdout: "pipe",
      stderr: "pipe",
    });
    await event("halfway", "VM_STARTING");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await event("halfway", "VM_DELETED");
    expect((await home.run(["vms", "get", "halfway"])).stderr).toContain("vm_not_found");
  }, 60_000);

  test("a VM whose time is up goes away by itself", async () => {
    await home.ok(["vms", "create", "brief", "--ttl", "30s", "--no-wait"]);
    const deleted = await event("brief", "VM_DELETED");
    expect(deleted.data.reason).toBe("ttl");
  }, 90_000);
});
