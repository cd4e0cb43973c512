import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/client/client.ts";
import type { Vm, VmEvent } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { cpio } from "../../src/image/cpio.ts";
import { Images } from "../../src/image/images.ts";
import { silentLog } from "../../src/log/log.ts";
import { SealedHome, type Served, TEST_IMAGE_DIR } from "../lib/hype.ts";

/** Started by the guest's own init: does harm when the host renames the guest, the one word a test can say to its root. */
const SABOTEUR = `while :; do case $(hostname) in
  fault-panic) echo c > /proc/sysrq-trigger ;;
  fault-agent) hostname mended; kill -9 $(pidof hype-agent) ;;
  fault-stall) hostname mended; kill -STOP $(pidof hype-agent) ;;
  fault-off) poweroff -f ;;
esac; sleep 1; done`;

/** The image's initramfs with one more archive behind it, whose /init replaces the first (kernel: buffer-format.rst). */
async function sabotagedInitramfs(path: string): Promise<void> {
  const image = await new Images({ imageDir: TEST_IMAGE_DIR, kernel: null, initramfs: null }, silentLog).resolve(null);
  const init = readFileSync(join(import.meta.dir, "..", "..", "images", "init.sh"), "utf8");
  const last = "exec /bin/busybox switch_root";
  expect(init).toContain(last);
  const script = SABOTEUR.replaceAll("\n", " ");
  const sabotaged = init.replace(
    last,
    () =>
      `printf '%s\\n' '${script}' >/root/etc/saboteur\necho '::once:/bin/sh /etc/saboteur' >>/root/etc/inittab\n${last}`,
  );
  const archive = cpio([{ kind: "file", path: "init", mode: 0o755, data: Buffer.from(sabotaged) }], 1);
  const original = readFileSync(image.initramfs);
  const padding = new Uint8Array(-original.length & 3); // an archive starts at a multiple of four
  writeFileSync(path, Buffer.concat([original, padding, ...archive]));
}

describe("faults inside the guest", () => {
  let home: SealedHome;
  let server: Served;
  const get = async (): Promise<Vm> => JSON.parse(await home.ok(["vms", "get", "demo", "--json"]));

  /** What only the server and the guest know. */
  async function guest(): Promise<Guest> {
    const { Database } = await import("bun:sqlite");
    using database = new Database(join(home.path, "state", "state.db"), { readonly: true });
    const row = database.query("select endpoint, token from vms where name = 'demo'").get() as {
      endpoint: string;
      token: string;
    };
    return new Guest(row.endpoint, row.token);
  }

  async function event(type: VmEvent["type"], after = 0): Promise<VmEvent> {
    const client = connect({ base: server.url, key: server.key });
    for await (const found of client.events.stream({ after, signal: AbortSignal.timeout(110_000) }))
      if (found.type === type) return found;
    throw new Error(`no ${type}`);
  }

  beforeAll(async () => {
    home = new SealedHome();
    const initramfs = join(home.path, "initramfs");
    await sabotagedInitramfs(initramfs);
    server = await home.serve({ OVERHYPED_INITRAMFS: initramfs });
    await home.ok(["vms", "create", "demo", "--cpu", "2"]);
  }, 180_000);
  afterAll(() => home[Symbol.asyncDispose](), 60_000);

  test("the agent is killed: init starts it again, and the VM goes on", async () => {
    const { id, generation } = await get();
    const { seq } = await event("VM_RUNNING");
    await (await guest()).identity({ hostname: "fault-agent" });
    // A new agent starts a new Chromium: the server hears of it on the wire it mended by itself.
    await event("VM_BROWSER_READY", seq);
    expect((await home.ok(["eval", "demo", "6 * 7"])).trim()).toBe("42");
    expect(await get()).toMatchObject({ id, generation, status: "running" });
  }, 120_000);

  test("the guest's kernel panics: crashed, said so, the console's last words kept", async () => {
    await (await guest()).identity({ hostname: "fault-panic" });
    const crashed = await event("VM_CRASHED");
    expect(crashed.vm_name).toBe("demo");
    const vm = await get();
    expect(vm).toMatchObject({ status: "crashed", pid: null, endpoint: null });
    expect(vm.status_reason).toContain("panic");
    expect(vm.console_tail).toContain("panic");
  }, 120_000);

  test("the guest powers itself off: stopped, not crashed", async () => {
    await home.ok(["vms", "start", "demo"]);
    const { seq } = (await event("VM_RUNNING", (await event("VM_CRASHED")).seq))!;
    await (await guest()).identity({ hostname: "fault-off" });
    await event("VM_STOPPED", seq);
    expect(await get()).toMatchObject({ status: "stopped", pid: null });
  }, 180_000);
});
