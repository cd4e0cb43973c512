import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Attachment } from "../../../src/network/network.ts";
import { canMakePrivateHosts, PrivateHost } from "../../lib/private-host.ts";
import { Guest, policy, recordOf, Refused, SlotProgram } from "./world.ts";

const hosts: PrivateHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
});

async function makeHost(): Promise<PrivateHost> {
  const host = await PrivateHost.start();
  hosts.push(host);
  return host;
}

/** A host that is set up, and a server's network on it. */
async function setUp(env: Record<string, string> = {}): Promise<{ host: PrivateHost; slots: SlotProgram }> {
  const host = await makeHost();
  const slots = SlotProgram.start(host, env);
  await slots.call("up");
  await slots.call("start");
  return { host, slots };
}

const EMPTY = { links: ["hypebr0"], namespaces: [], tables: ["table inet overhyped-hypebr0"] };
const refusal = async (work: Promise<unknown>): Promise<Refused> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Refused)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

/** Whether any process has this in its environment. */
const isRunning = (entry: string): boolean =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(entry);
      } catch {
        return false;
      }
    });

describe.skipIf(!canMakePrivateHosts)("slots", () => {
  test("an attachment is a namespace with a tap of the VMM's user, and detaching removes all of it", async () => {
    const { host, slots } = await setUp();
    const attachment: Attachment = await slots.attach(7, undefined, { uid: 54_321 });
    expect(attachment).toEqual({
      record: { mode: "slot", endpoint: "http://192.168.127.7:7070", processes: [], slot: 7 },
      nic: { kind: "tap", name: "tap0", namespace: "hype-7", mac: "02:68:79:70:65:01" },
      ipParameter: "10.127.0.2::10.127.0.1:255.255.255.252:vm-7:eth0:off:10.127.0.1",
    });
    expect(await host.remains()).toEqual({ ...EMPTY, links: ["hypebr0", "hype-7"], namespaces: ["hype-7"] });
    expect(await slots.call("alive", attachment.record)).toBe(true);
    expect(await host.ok(["ip", "-d", "link", "show", "hype-7"])).toContain("isolated on");

    const open = (uid: number) =>
      host.run([process.execPath, join(import.meta.dir, "../../fake/open-tap.ts"), String(uid)], {
        namespace: "hype-7",
      });
    expect((await open(54_321)).stdout).toBe("opened\n");
    expect((await open(54_322)).stdout).toBe("refused\n");

    await slots.call("detach", attachment.record);
    expect(await host.remains()).toEqual(EMPTY);
    expect(await slots.call("alive", attachment.record)).toBe(false);
    await slots.call("detach", attachment.record);
  }, 20_000);

  test("the pool holds the lowest numbers nobody has, is refilled, and goes with the server; what VMs hold stays", async () => {
    const { host, slots } = await setUp({ OVERHYPED_READY_SLOTS: "2" });
    await slots.call("lease", [2, 4]);
    await slots.call("fill", []);
    expect(await slots.call<number[]>("ready")).toEqual([3, 5]);
    const { record } = await slots.attach(3);
    expect(await slots.call<number[]>("ready")).toEqual([5]);
    await slots.call("lease", [2, 3, 4]);
    await slots.call("fill", [record]);
    expect(await slots.call<number[]>("ready")).toEqual([5, 6]);
    await slots.call("dispose");
    expect(await host.remains()).toEqual({ ...EMPTY, links: ["hypebr0", "hype-3"], namespaces: ["hype-3"] });
  }, 20_000);

  test("a slot built ahead takes the VM's own policy, and one for another user is built anew", async () => {
    const { host, slots } = await setUp({ OVERHYPED_READY_SLOTS: "2", OVERHYPED_TEST_UID: "1000" });
    await slots.call("fill", []);
    await slots.attach(2, policy("none"), { uid: 1000 });
    const rules = await host.ok(["nft", "list", "chain", "inet", "overhyped", "judge"], { namespace: "hype-2" });
    expect(rules).not.toContain("goto passed");
    await slots.attach(3, undefined, { uid: 2000 });
    expect(await host.ok(["ip", "-d", "-j", "link", "show", "tap0"], { namespace: "hype-3" })).toMatch(/"user":"?2000/);
  }, 20_000);

  test("a cancelled attachment leaves nothing", async () => {
    const { host, slots } = await setUp();
    expect((await refusal(slots.attach(2, undefined, { aborted: true }))).code).toBe("cancelled");
    expect(await host.remains()).toEqual(EMPTY);
  });

  test("a server that is killed while it builds leaves nothing after the next one's reconciling", async () => {
    const { host, slots } = await setUp({ OVERHYPED_READY_SLOTS: "3" });
    await slots.call("fill", []);
    await slots.attach(9);
    const mark = crypto.randomUUID();
    for (const delayMs of [0, 2, 4, 6, 8, 10, 13, 16]) {
      const victim = SlotProgram.start(host, { OVERHYPED_TEST_VICTIM: mark });
      await victim.call("faults");
      for (let slot = 20; slot < 24; slot++) victim.attach(slot).catch(() => {});
      const attached = victim.call("faults").catch(() => {});
      // Spread over the building on purpose: no signal tells of its middle.
      await Bun.sleep(delayMs);
      await victim[Symbol.asyncDispose]();
      await attached;
    }
    await slots.talker.kill();
    // What it had started goes on for a moment; children have its environment.
    while (isRunning(`OVERHYPED_TEST_VICTIM=${mark}`)) await Bun.sleep(5);
    const next = SlotProgram.start(host);
    await next.call("start");
    await next.call("reconcile", [recordOf(9)]);
    expect(await host.remains()).toEqual({ ...EMPTY, links: ["hypebr0", "hype-9"], namespaces: ["hype-9"] });
    expect(await next.call("alive", recordOf(9))).toBe(true);
    await next.call("detach", recordOf(9));
    expect(await host.remains()).toEqual(EMPTY);
  }, 30_000);

  test("every part of a slot that is left over is removed, and only if it is ours", async () => {
    const { host, slots } = await setUp();
    for (const slot of [2, 3, 4]) await slots.attach(slot);
    await host.ok(["ip", "link", "delete", "hype-2"]);
    await host.ok(["ip", "netns", "delete", "hype-3"]);
    await host.ok(["ip", "netns", "add", "hype-40"]);
    await host.ok(["ip", "link", "add", "hype-41", "type", "bridge"]);
    await host.ok(["touch", "-d", "2 minutes ago", "/run/netns/hype-42"]);
    await host.ok(["touch", "/run/netns/hype-43"]);
    await slots.talker.kill();
    const next = SlotProgram.start(host);
    await next.call("start");
    await next.call("reconcile", [recordOf(4)]);
    const { links, namespaces } = await host.remains();
    expect(links.sort()).toEqual(["hype-4", "hype-41", "hypebr0"]);
    expect(namespaces.sort()).toEqual(["hype-4", "hype-40", "hype-43"]);
  }, 20_000);

  test("what another program made under a slot's name is refused, not reused, and stays", async () => {
    const { host, slots } = await setUp({ OVERHYPED_READY_SLOTS: "1" });
    await host.ok(["ip", "netns", "add", "hype-2"]);
    await host.ok(["ip", "link", "add", "hype-3", "type", "bridge"]);
    for (const slot of [2, 3]) {
      const { code, message } = await refusal(slots.attach(slot));
      expect(code).toBe("network_failed");
      expect(message).toContain(`hype-${slot} exists already`);
      await slots.call("detach", recordOf(slot));
    }
    expect(await host.remains()).toEqual({ ...EMPTY, links: ["hypebr0", "hype-3"], namespaces: ["hype-2"] });
    await slots.call("fill", []);
    expect(await slots.call<number[]>("ready")).toEqual([4]);
  });

  test("two installations on one host leave each other's slots, bridges and rules alone", async () => {
    const { host, slots } = await setUp();
    const env = {
      OVERHYPED_HOME: "/var/lib/other",
      OVERHYPED_BRIDGE: "otherbr0",
      OVERHYPED_SUBNET: "192.168.128.0/24",
    };
    const other = SlotProgram.start(host, env);
    await other.call("up");
    await other.call("start");
    await slots.attach(2);
    const attachment = await other.call<Attachment>("attach", {
      ipAddress: "192.168.128.3",
      name: "x",
      uid: null,
      egress: policy("internet"),
    });
    await slots.call("reconcile", []);
    await other.call("reconcile", []);
    expect((await refusal(slots.attach(3))).message).toContain("is not this installation's");
    await slots.call("detach", recordOf(3));
    expect(await other.call("alive", attachment.record)).toBe(true);
    await other.call("detach", recordOf(2));
    expect(await slots.call("alive", recordOf(2))).toBe(true);
    await other.call("detach", attachment.record);
    await other.call("down");
    expect(await host.remains()).toEqual({ ...EMPTY, links: ["hypebr0", "hype-2"], namespaces: ["hype-2"] });
    // Under one bridge name there is no second installation.
    const thief = SlotProgram.start(host, { ...env, OVERHYPED_BRIDGE: "hypebr0" });
    expect((await refusal(thief.call("up"))).code).toBe("network_unavailable");
    expect((await refusal(thief.call("down"))).code).toBe("network_unavailable");
  }, 20_000);

  test("a bridge, its address or the rules taken away under us are mended, and slots plugged in again", async () => {
    const { host, slots } = await setUp();
    await slots.attach(2);
    const plugged = async () => (await host.ok(["ip", "-d", "link", "show", "hype-2"])).includes("master hypebr0");
    const harm = [
      "ip link delete hypebr0",
      "nft flush ruleset",
      "ip address flush dev hypebr0",
      "ip link set hypebr0 down",
      "ip link set hype-2 nomaster",
    ];
    for (const command of harm) {
      await host.shell(command);
      await slots.call("reconcile", [recordOf(2)]);
      expect(await slots.call<string[]>("faults")).toEqual([]);
      expect(await plugged()).toBe(true);
      expect(await host.ok(["ip", "-d", "link", "show", "hype-2"])).toContain("isolated on");
    }
    expect((await slots.call<string[]>("log")).join("")).toContain("there is no bridge hypebr0");
  }, 20_000);

  test("a namespace deleted under a VM is told, and its slot can be had again", async () => {
    const { host, slots } = await setUp();
    await slots.attach(2);
    await host.ok(["ip", "netns", "delete", "hype-2"]);
    expect(await slots.call("alive", recordOf(2))).toBe(false);
    expect((await refusal(slots.call("setEgress", recordOf(2), policy("none")))).code).toBe("network_failed");
    await slots.call("detach", recordOf(2));
    await slots.attach(2);
    expect(await slots.call("alive", recordOf(2))).toBe(true);
  });

  test("ten thousand entries work, built in and put into force live", async () => {
    const { host, slots } = await setUp();
    const allow = Array.from(
      { length: 10_000 },
      (_, i) => `11.${i >> 8}.${i & 255}.0/${i % 3 === 0 ? 24 : 25}${i % 2 === 0 ? "" : `:${1000 + i}`}`,
    );
    const { record } = await slots.attach(2, policy("none", { allow, deny: allow.slice(0, 100) }));
    const size = async () =>
      (await host.ok(["nft", "list", "chain", "inet", "overhyped", "judge"], { namespace: "hype-2" })).length;
    expect(await size()).toBeGreaterThan(200_000);
    await slots.call("setEgress", record, policy("internet"));
    expect(await size()).toBeLessThan(3_000);
    await slots.call("setEgress", record, policy("open", { deny: allow }));
    expect(await size()).toBeGreaterThan(200_000);
  }, 20_000);

  test("a hundred slots are built at once and removed, and nothing of them is left", async () => {
    const { host, slots } = await setUp();
    const numbers = Array.from({ length: 100 }, (_, index) => index + 2);
    await Promise.all(numbers.map((slot) => slots.attach(slot)));
    expect((await host.remains()).namespaces).toHaveLength(100);
    expect(await host.ok(["bridge", "-d", "link"])).not.toContain("isolated off");
    await Promise.all(numbers.map((slot) => slots.call("detach", recordOf(slot))));
    expect(await host.remains()).toEqual(EMPTY);
  }, 60_000);

  test("what a guest was refused is told to whoever listens, once", async () => {
    const { host, slots } = await setUp();
    await slots.attach(2);
    await slots.call("watch");
    const guest = await Guest.plug(host, 2, []);
    await guest.probe({ kind: "tcp", to: "10.1.2.3", port: 4444 });
    let told: { slot: number; found: { address: string; port: number; packets: number }[] }[] = [];
    for (const deadline = performance.now() + 8_000; told.length === 0 && performance.now() < deadline;)
      told = await slots.call("refusals");
    expect(told[0]?.slot).toBe(2);
    expect(told.flatMap(({ found }) => found).filter(({ address }) => address === "10.1.2.3")).toEqual([
      { protocol: "tcp", address: "10.1.2.3", port: 4444, packets: 1 } as never,
    ]);
    await guest.unplug();
  }, 20_000);
});
