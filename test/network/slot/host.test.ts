import { afterEach, describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { loadConfig } from "../../../src/config/load.ts";
import { describeStep, hostNetworkDown, hostNetworkUp } from "../../../src/network/slot/host.ts";
import {
  hostMac,
  innerMac,
  installationGroup,
  slotAddress,
  slotName,
  slotOf,
} from "../../../src/network/slot/identity.ts";
import { canMakePrivateHosts, PrivateHost } from "../../lib/private-host.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";
import { Refused, SlotProgram } from "./world.ts";

const hosts: PrivateHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
});

async function makeHost(): Promise<PrivateHost> {
  const host = await PrivateHost.start();
  hosts.push(host);
  return host;
}

const config = loadConfig({ OVERHYPED_CONFIG: "/nonexistent", OVERHYPED_HOME: "/var/lib/slot-test" });
const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => "done",
    (thrown: unknown) => (thrown instanceof Refused ? thrown.code : String(thrown)),
  );

test("names, addresses and marks follow from number and home alone", () => {
  expect([slotName(7), slotName(65_534)]).toEqual(["hype-7", "hype-65534"]);
  expect(["hype-7", "hype-0", "hype-07", "hype-7x", "hypebr0", "hype-123456"].map(slotOf)).toEqual([
    7,
    null,
    null,
    null,
    null,
    null,
  ]);
  expect([
    slotAddress(7, "192.168.127.0/24"),
    slotAddress(300, "10.9.0.0/16"),
    slotAddress(5, "192.168.127.128/25"),
  ]).toEqual(["192.168.127.7", "10.9.1.44", "192.168.127.133"]);
  expect([hostMac(300), innerMac(300)]).toEqual(["02:68:79:71:01:2c", "02:68:79:70:01:2c"]);
  const groups = ["/a", "/b", "/root/.overhyped"].map((home) => installationGroup({ home }));
  expect(new Set(groups).size).toBe(3);
  expect(groups.every((group) => group > 0 && group < 2 ** 31)).toBe(true);
});

test("a dry run can show every step, with the rules in full", () => {
  const steps = [...hostNetworkUp(config), ...hostNetworkDown(config)].map(describeStep);
  expect(steps[0]).toBe(`ip link add name hypebr0 group ${installationGroup(config)} type bridge`);
  expect(
    steps.some(
      (step) => step.startsWith("nft -f - <<'END'\ntable inet overhyped-hypebr0") && step.includes("masquerade"),
    ),
  ).toBe(true);
  expect(steps).toContain("sysctl -w net.ipv4.ip_forward=1");
  expect(steps.join("\n")).not.toContain("undefined");
  expect(steps.join("\n")).not.toContain("flush ruleset");
});

describe.skipIf(!canMakePrivateHosts)("the host's side", () => {
  test("is put up twice and taken down twice, and nobody else's rules are touched", async () => {
    const host = await makeHost();
    await host.ok(["nft", "-f", "-"], { stdin: "table inet mine {\n chain c {\n tcp dport 22 accept\n}\n}\n" });
    const before = { ...(await host.remains()), rules: await host.ok(["nft", "list", "ruleset"]) };
    const slots = SlotProgram.start(host);
    await slots.call("up");
    const up = await host.ok(["nft", "list", "ruleset"]);
    await slots.call("up");
    expect(await host.ok(["nft", "list", "ruleset"])).toBe(up);
    expect(await host.ok(["ip", "-br", "-4", "address", "show", "hypebr0"])).toContain("192.168.127.1/24");
    expect(await slots.call<string[]>("faults")).toEqual([]);
    await slots.call("down");
    await slots.call("down");
    expect({ ...(await host.remains()), rules: await host.ok(["nft", "list", "ruleset"]) }).toEqual(before);
  });

  test("a bridge of that name that is not ours is neither used nor removed", async () => {
    const host = await makeHost();
    await host.ok(["ip", "link", "add", "hypebr0", "type", "bridge"]);
    const slots = SlotProgram.start(host);
    expect(await codeOf(slots.call("up"))).toBe("network_unavailable");
    expect(await codeOf(slots.call("down"))).toBe("network_unavailable");
    expect(await host.remains()).toEqual({ links: ["hypebr0"], namespaces: [], tables: [] });
    expect((await slots.call<string[]>("faults")).join("; ")).toContain(
      "was not made by the hype of /var/lib/slot-test",
    );
  });

  test("what is missing is named exactly, and auto takes passt instead", async () => {
    const host = await makeHost();
    const slots = SlotProgram.start(host, { OVERHYPED_NETWORK: "slot" });
    const error = await slots.call("open").catch((thrown: unknown) => thrown as Refused);
    expect(error).toBeInstanceOf(Refused);
    expect((error as Refused).code).toBe("network_unavailable");
    expect((error as Refused).message).toBe(
      "the slot network cannot be used: there is no bridge hypebr0; there is no nftables table inet overhyped-hypebr0",
    );
    const auto = SlotProgram.start(host);
    expect(await auto.call<string>("open")).toBe("user");
    expect((await auto.call<string[]>("log")).join("")).toContain("there is no bridge hypebr0");
    await auto.call("up");
    expect(await auto.call<string>("open")).toBe("slot");
    expect(await SlotProgram.start(host, { OVERHYPED_NETWORK: "user" }).call<string>("open")).toBe("user");
    await host.ok(["nft", "delete", "table", "inet", "overhyped-hypebr0"]);
    expect(await auto.call<string[]>("faults")).toEqual(["there is no nftables table inet overhyped-hypebr0"]);
    await host.ok(["ip", "address", "flush", "dev", "hypebr0"]);
    expect(await auto.call<string[]>("faults")).toContain("hypebr0 lacks the address 192.168.127.1");
  });

  test("missing programs are named with their packages, and nothing is half made", async () => {
    const host = await makeHost();
    using directory = temporaryDirectory();
    for (const program of ["ip", "unshare"]) symlinkSync(Bun.which(program)!, directory.join(program));
    const env = { PATH: directory.path, OVERHYPED_NETWORK: "slot" };
    const slots = SlotProgram.start(host, env);
    expect(await slots.call<string[]>("faults")).toEqual([
      "the program nft is not installed (package nftables)",
      "the program nsenter is not installed (package util-linux)",
    ]);
    expect(await codeOf(slots.call("open"))).toBe("network_unavailable");
    // It goes away while the server runs.
    const whole = SlotProgram.start(host);
    await whole.call("up");
    symlinkSync(Bun.which("sh")!, directory.join("sh"));
    symlinkSync(Bun.which("nsenter")!, directory.join("nsenter"));
    expect(await codeOf(slots.attach(2))).toBe("network_failed");
    expect(await host.remains()).toEqual({
      links: ["hypebr0"],
      namespaces: [],
      tables: ["table inet overhyped-hypebr0"],
    });
  });

  test("routes that overlap the subnet are named; taps that users cannot open are", async () => {
    const host = await makeHost();
    await host.shell(
      "ip link add lan0 type bridge; ip address add 192.168.120.1/20 dev lan0; ip link set lan0 up; ip route add 192.168.127.64/26 dev lan0",
    );
    await host.shell("chmod 600 /dev/net/tun");
    const slots = SlotProgram.start(host);
    expect((await slots.call<string[]>("routes")).toSorted()).toEqual([
      "192.168.112.0/20 dev lan0",
      "192.168.127.64/26 dev lan0",
    ]);
    const faults = await slots.call<string[]>("faults");
    expect(faults).toContain("OVERHYPED_SUBNET=192.168.127.0/24 overlaps the host's route 192.168.112.0/20 dev lan0");
    expect(faults[0]).toContain("chmod 0666 /dev/net/tun");
    const other = SlotProgram.start(host, { OVERHYPED_SUBNET: "10.9.0.0/24", OVERHYPED_JAIL: "off" });
    expect(await other.call<string[]>("faults")).toEqual([
      "there is no bridge hypebr0",
      "there is no nftables table inet overhyped-hypebr0",
    ]);
  });

  test("firewalls that drop what our table lets through are told with what to do", async () => {
    const host = await makeHost();
    const rules = `
table ip filter {
 chain INPUT {
  type filter hook input priority filter; policy drop;
 }
 chain FORWARD {
  type filter hook forward priority filter; policy drop;
 }
 chain DOCKER-USER {
 }
 chain ufw-user-input {
 }
}
table inet firewalld {
 chain filter_FORWARD {
  type filter hook forward priority filter + 10; policy accept;
 }
}
table inet harmless {
 chain input {
  type filter hook input priority filter; policy accept;
 }
 chain output {
  type filter hook output priority filter; policy drop;
 }
}
`;
    await host.ok(["nft", "-f", "-"], { stdin: rules });
    const slots = SlotProgram.start(host);
    await slots.call("up");
    const conflicts = await slots.call<{ chain: string; hook: string; remedy: string }[]>("conflicts");
    expect(conflicts.map(({ chain, hook }) => `${hook}: ${chain}`).toSorted()).toEqual([
      "forward: inet firewalld filter_FORWARD",
      "forward: ip filter FORWARD",
      "input: ip filter INPUT",
    ]);
    expect(conflicts.find(({ hook }) => hook === "input")?.remedy).toBe(
      "ufw allow in on hypebr0 to 192.168.127.1 port 7053",
    );
    expect(conflicts.every(({ remedy }) => remedy.includes("hypebr0"))).toBe(true);
    // Told once, not at every sweep.
    await slots.call("start");
    for (let sweep = 0; sweep < 2; sweep++) await slots.call("reconcile", []);
    expect((await slots.call<string[]>("log")).filter((line) => line.includes("another firewall"))).toHaveLength(1);
  });

  test("only root has slots", async () => {
    const host = await makeHost();
    const argv = [
      process.execPath,
      "-e",
      "const { slotNetworkFaults } = await import(process.argv[1]); const { loadConfig } = await import(process.argv[2]); process.setuid(65534); console.log(await slotNetworkFaults(loadConfig({ OVERHYPED_CONFIG: '/x', OVERHYPED_HOME: '/x' })))",
    ];
    const modules = ["network/slot/faults.ts", "config/load.ts"].map(
      (name) => new URL(`../../../src/${name}`, import.meta.url).pathname,
    );
    expect((await host.run([...argv, ...modules])).stdout).toContain("the server does not run as root");
  });
});
