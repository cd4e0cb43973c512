import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { EgressPolicy } from "../../../src/contract/index.ts";
import type { Probe } from "../../fake/net-probe.ts";
import { canMakePrivateHosts, type PrivateHost, type Talker } from "../../lib/private-host.ts";
import { arpFrame, macs, udpFrame } from "./frames.ts";
import { Guest, makeWorld, policy, probeFrom, recordOf, SlotProgram } from "./world.ts";

/** Two guests with listeners of their own, a host, its LAN and the internet. */
describe.skipIf(!canMakePrivateHosts)("isolation", () => {
  let host: PrivateHost;
  let internet: Talker;
  let slots: SlotProgram;
  let one: Guest;
  let two: Guest;

  beforeAll(async () => {
    ({ host, internet } = await makeWorld());
    slots = SlotProgram.start(host, { OVERHYPED_DNS: "10.66.0.2" });
    await slots.call("up");
    await slots.call("start");
    await slots.attach(2);
    await slots.attach(3);
    one = await Guest.plug(host, 2);
    two = await Guest.plug(host, 3);
    await host.shell(`
      ip netns add names; ip link add names0 type veth peer name eth0 netns names
      ip addr add 10.66.0.1/30 dev names0; ip link set names0 up
      ip -n names addr add 10.66.0.2/30 dev eth0; ip -n names link set eth0 up`);
    // A port that another program publishes on the host's own address.
    const published =
      "table ip published {\n chain pre {\n type nat hook prerouting priority dstnat\n ip daddr 50.0.0.1 tcp dport 8088 dnat to 10.55.0.2:80\n}\n}\n";
    await host.ok(["nft", "-f", "-"], { stdin: published });
  }, 60_000);
  afterAll(async () => {
    await slots?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  const tcp = (to: string, port = 80): Probe => ({ kind: "tcp", to, port });
  const udp = (to: string, port = 9000): Probe => ({ kind: "udp", to, port });
  const icmp = (to: string): Probe => ({ kind: "icmp", to });

  /** Where a guest may never get, whatever its policy says; nothing answers, and the refusal comes at once. */
  const NEVER: [what: string, Probe][] = [
    ["host's bridge address", tcp("192.168.127.1", 22)],
    ["host's bridge address, its server", tcp("192.168.127.1", 7777)],
    ["host's bridge address, udp", udp("192.168.127.1")],
    ["host's bridge address, icmp", icmp("192.168.127.1")],
    ["host's resolver under its real address", udp("192.168.127.1", 7053)],
    ["host's public address", tcp("50.0.0.1", 22)],
    ["host's public address, udp", udp("50.0.0.1")],
    ["host's public address, icmp", icmp("50.0.0.1")],
    ["host's port that leads elsewhere", tcp("50.0.0.1", 8088)],
    ["another VM's agent", tcp("192.168.127.3", 7070)],
    ["another VM", tcp("192.168.127.3")],
    ["another VM, udp", udp("192.168.127.3", 80)],
    ["another VM, icmp", icmp("192.168.127.3")],
    ["itself from outside", tcp("192.168.127.2", 7070)],
    ["its gateway", tcp("10.127.0.1", 22)],
    ["its gateway, udp", udp("10.127.0.1")],
    ["its gateway, icmp", icmp("10.127.0.1")],
  ];
  const PRIVATE: [what: string, Probe][] = [
    ["LAN", tcp("10.55.0.2")],
    ["LAN, udp", udp("10.55.0.2")],
    ["LAN, icmp", icmp("10.55.0.2")],
    ["host's address in the LAN", tcp("10.55.0.1", 22)],
    ["metadata service", tcp("169.254.169.254")],
    ["10/8", tcp("10.20.30.40")],
    ["172.16/12", tcp("172.16.5.5")],
    ["192.168/16", tcp("192.168.9.9")],
    ["carrier-grade NAT", tcp("100.64.1.1")],
    ["documentation", tcp("198.51.100.7")],
  ];
  const NAMES: [what: string, Probe][] = [
    ["another name server, udp", udp("8.8.8.8", 53)],
    ["another name server, tcp", tcp("8.8.8.8", 53)],
    ["another name server, TLS", tcp("8.8.8.8", 853)],
  ];
  const PUBLIC: [what: string, Probe, answer: string][] = [
    ["internet, tcp", tcp("8.8.8.8"), "internet"],
    ["internet, tcp 443", tcp("50.0.0.2", 443), "internet"],
    ["internet, udp", udp("8.8.8.8"), "internet"],
    ["internet, icmp", icmp("8.8.8.8"), "echo"],
  ];

  const refusedAll = (rows: [string, Probe][]): Record<string, string> =>
    Object.fromEntries(rows.map(([what]) => [what, "refused"]));
  const outcomes = async (rows: readonly (readonly [string, Probe, ...unknown[]])[]) => {
    const found: Record<string, string> = {};
    for (const [what, probe] of rows) found[what] = await one.probe(probe);
    return found;
  };
  const expected = () => Object.fromEntries(PUBLIC.map(([what, , answer]) => [what, answer]));
  const enforce = (wanted: EgressPolicy) => slots.call("setEgress", recordOf(2), wanted);

  test("mode internet: public addresses, and nothing else", async () => {
    expect(await outcomes(PUBLIC)).toEqual(expected());
    expect(await outcomes([...NEVER, ...PRIVATE, ...NAMES])).toEqual(refusedAll([...NEVER, ...PRIVATE, ...NAMES]));
  }, 60_000);

  test("mode open: everything but the host and other VMs", async () => {
    await enforce(policy("open"));
    expect(await outcomes(PUBLIC)).toEqual(expected());
    expect(await outcomes(NEVER)).toEqual(refusedAll(NEVER));
    expect(await outcomes([...PRIVATE.filter(([what]) => !what.startsWith("host")), ...NAMES])).toEqual({
      ...Object.fromEntries(
        PRIVATE.filter(([what]) => !what.startsWith("host")).map(([what]) => [
          what,
          what.startsWith("LAN") ? "lan" : "internet",
        ]),
      ),
      "LAN, icmp": "echo",
      ...Object.fromEntries(NAMES.map(([what]) => [what, "internet"])),
    });
    expect(await one.probe(tcp("10.55.0.1", 22))).toBe("refused");
  }, 60_000);

  test("an allow list opens neither the host nor other VMs", async () => {
    await enforce(
      policy("open", { allow: ["0.0.0.0/0", "192.168.127.0/24", "50.0.0.1", "10.127.0.0/30", "10.55.0.1:22"] }),
    );
    expect(await outcomes(NEVER)).toEqual(refusedAll(NEVER));
    expect(await one.probe(tcp("10.55.0.1", 22))).toBe("refused");
  }, 60_000);

  test("mode none: not even names", async () => {
    await enforce(policy("none"));
    const rows: [string, Probe][] = [
      ...PUBLIC.map(([what, probe]): [string, Probe] => [what, probe]),
      ...NEVER,
      ["names", udp("10.127.0.1", 53)],
    ];
    expect(await outcomes(rows)).toEqual(refusedAll(rows));
  }, 60_000);

  test("deny wins over allow, allow over the mode; ports count", async () => {
    await enforce(
      policy("none", {
        allow: ["10.55.0.0/24:80", "8.8.8.0/24", "8.8.8.8:53"],
        deny: ["8.8.8.8:443", "8.8.8.8:9000-9001"],
      }),
    );
    expect(
      await outcomes([
        ["LAN, allowed port", tcp("10.55.0.2", 80)],
        ["LAN, other port", tcp("10.55.0.2", 9000)],
        ["LAN, icmp", icmp("10.55.0.2")],
        ["allowed", tcp("8.8.8.8", 80)],
        ["denied port", tcp("8.8.8.8", 443)],
        ["denied range, udp", udp("8.8.8.8", 9000)],
        ["allowed name server", udp("8.8.8.8", 53)],
        ["elsewhere", tcp("9.9.9.9")],
      ]),
    ).toEqual({
      "LAN, allowed port": "lan",
      "LAN, other port": "refused",
      "LAN, icmp": "refused",
      allowed: "internet",
      "denied port": "refused",
      "denied range, udp": "refused",
      "allowed name server": "internet",
      elsewhere: "refused",
    });
  }, 60_000);

  test("a stricter policy ends the connections it forbids, and no other", async () => {
    await enforce(policy("internet"));
    for (const to of ["8.8.8.8", "9.9.9.9"]) expect(await one.probe({ kind: "open", to, port: 443 })).toBe("internet");
    await enforce(policy("internet", { deny: ["8.8.8.8"] }));
    expect(await one.probe({ kind: "use", to: "8.8.8.8", port: 443 })).toBe("refused");
    expect(await one.probe({ kind: "use", to: "9.9.9.9", port: 443 })).toBe("internet");
    await enforce(policy("none", { allow: ["9.9.9.9:80"] }));
    expect(await one.probe({ kind: "use", to: "9.9.9.9", port: 443 })).toBe("refused");
    await enforce(policy("internet"));
  });

  test("the host reaches the agent's door and nothing else of a guest; nobody else reaches even that", async () => {
    const agent: Probe = { kind: "tcp", to: "192.168.127.2", port: 7070 };
    expect(await probeFrom(host, agent)).toBe("guest-2");
    expect(await probeFrom(host, { ...agent, to: "192.168.127.3" })).toBe("guest-3");
    expect(await probeFrom(host, { ...agent, port: 80, waitMs: 400 })).toBe("silent");
    expect(await probeFrom(host, { kind: "udp", to: "192.168.127.2", port: 7070, waitMs: 400 })).toBe("silent");
    expect(await probeFrom(host, { kind: "icmp", to: "192.168.127.2", waitMs: 400 })).toBe("silent");
    // Nor by another of the host's own addresses: only the bridge's is the server's.
    expect(await probeFrom(host, { ...agent, from: "10.55.0.1", waitMs: 400 })).toBe("silent");
    for (const namespace of ["lan", "internet"]) {
      await host.run([
        "ip",
        "-n",
        namespace,
        "route",
        "add",
        "192.168.127.0/24",
        "via",
        namespace === "lan" ? "10.55.0.1" : "50.0.0.1",
      ]);
      expect(await probeFrom(host, { ...agent, waitMs: 400 }, namespace)).toBe("silent");
      expect(await probeFrom(host, { kind: "tcp", to: "192.168.127.1", port: 7053, waitMs: 400 }, namespace)).toBe(
        "silent",
      );
    }
    // Not from another slot either, where no guest's rules stand in the way.
    expect(await probeFrom(host, { ...agent, waitMs: 400 }, "hype-3")).not.toBe("guest-2");
  });

  test("what a new policy forbids carries nothing in either direction any more", async () => {
    const until = async (part: string) => {
      while (!(await internet.line()).includes(part));
    };
    const [to, port] = ["8.8.8.8", 9000];
    await one.probe({ kind: "knock", to, port });
    await until('"text":"later"');
    internet.say("answer");
    await until('"answered"');
    expect(await one.probe(tcp("9.9.9.9"))).toBe("internet");
    expect(await one.probe({ kind: "heard", to, port })).toBe("1");
    await enforce(policy("internet", { deny: ["8.8.8.0/24"] }));
    internet.say("answer");
    await until('"answered"');
    // The same way, later: what the answer is to be overtaken by.
    expect(await one.probe(tcp("9.9.9.9"))).toBe("internet");
    expect(await one.probe({ kind: "heard", to, port })).toBe("1");
    await enforce(policy("internet", { deny: ["8.8.8.8:9000"] }));
    internet.say("answer");
    await until('"answered"');
    expect(await one.probe(tcp("9.9.9.9"))).toBe("internet");
    expect(await one.probe({ kind: "heard", to, port })).toBe("1");
    await enforce(policy("internet"));
  }, 20_000);

  test("a VMM that broke out of its machine finds no way out of the namespace", async () => {
    await drainUntilMarker(internet, one);
    const send = `const s = require("dgram").createSocket("udp4"); s.on("error", () => {}); s.send("broke out", 9000, "8.8.8.8", () => s.close());`;
    await host.run([process.execPath, "-e", send], { namespace: "hype-2" });
    await drainUntilMarker(internet, one, "broke out");
    for (const to of ["8.8.8.8", "192.168.127.1", "10.55.0.2", "192.168.127.3"])
      expect(await probeFrom(host, { kind: "tcp", to, port: 80, waitMs: 300 }, "hype-2")).not.toMatch(
        /internet|lan|host|guest/,
      );
  });

  test("what was refused is counted and named, what passed is counted", async () => {
    await enforce(policy("internet"));
    await one.probe(tcp("172.16.5.5", 9000));
    await one.probe(udp("8.8.8.8", 53));
    await one.probe(icmp("10.55.0.2"));
    const { allowed, refused, refusals } = await slots.call<{
      allowed: { packets: number };
      refused: { packets: number };
      refusals: { protocol: string; address: string; port: number | null; packets: number }[];
    }>("egress", recordOf(2));
    expect(allowed.packets).toBeGreaterThan(10);
    expect(refused.packets).toBeGreaterThan(10);
    const named = refusals.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
    expect(named).toContain("tcp 172.16.5.5 9000");
    expect(named).toContain("udp 8.8.8.8 53");
    expect(named).toContain("icmp 10.55.0.2 null");
    // Asked of the guest's own name server while its policy was `none`: told as the guest knows it.
    expect(named).toContain("udp 10.127.0.1 53");
  });

  test("a guest that opens connections without end is stopped before it fills the host's table", async () => {
    type Counts = { refused: { packets: number }; refusals: unknown[] };
    const counts = () => slots.call<Counts>("egress", recordOf(3));
    const before = (await counts()).refused.packets;
    let refused = 0;
    // Frames that the wire loses on a busy machine are made up for by the next round, on other ports.
    for (let round = 0; round < 20 && refused <= 100; round++) {
      await two.ok([process.execPath, "-e", OPEN_MANY, String(10_000 + round * 2_500)]);
      refused = (await counts()).refused.packets - before;
    }
    expect(refused).toBeGreaterThan(100);
    expect((await counts()).refusals.length).toBeLessThanOrEqual(512 + 64);
    const open = Number(
      (await host.ok(["cat", "/proc/sys/net/netfilter/nf_conntrack_count"], { namespace: "hype-3" })).trim(),
    );
    expect(open).toBeLessThan(5_000);
    // The host still gets in, and the other guest out.
    expect(await probeFrom(host, { kind: "tcp", to: "192.168.127.3", port: 7070 })).toBe("guest-3");
    expect(await one.probe(tcp("8.8.8.8"))).toBe("internet");
  }, 20_000);

  test("names: the guest's gateway answers through our resolver, over UDP and TCP", async () => {
    const dns = host.talk([process.execPath, join(import.meta.dir, "../../fake/dns-server.ts"), "10.66.0.2", "53"], {
      namespace: "names",
    });
    expect(await dns.line()).toBe("ready");
    const lookUp = async (name: string) => (await one.ok([process.execPath, "-e", LOOK_UP, name])).trim();
    expect(await lookUp("example.com")).toBe("192.0.2.80");
    // Too long for a datagram: asked again over TCP.
    expect(Number(await lookUp("long.example.com"))).toBeGreaterThan(1232);
    await enforce(policy("none"));
    expect(await lookUp("example.com")).toMatch(/ECONNREFUSED|ETIMEOUT/);
    await enforce(policy("internet"));
    await dns.kill();
  }, 20_000);

  test("nothing but the guest's own frames gets in: other MACs, other addresses, VLANs, IPv6, lies", async () => {
    await drainUntilMarker(internet, one);
    const gateway = (await host.ok(["ip", "-n", "hype-2", "-j", "link", "show", "tap0"])).match(
      /"address":"([^"]+)"/,
    )![1]!;
    const base = { to: gateway, from: "02:68:79:70:65:01", source: "10.127.0.2", target: "8.8.8.8", text: "evil" };
    for (const frame of [
      udpFrame({ ...base, from: "02:00:00:00:00:09" }),
      udpFrame({ ...base, source: "10.127.0.3" }),
      udpFrame({ ...base, source: "192.168.127.3" }),
      udpFrame({ ...base, source: "192.168.127.1" }),
      udpFrame({ ...base, source: "127.0.0.1" }),
      udpFrame({ ...base, source: "8.8.8.8" }),
      udpFrame({ ...base, vlan: 5 }),
      udpFrame({ ...base, vlan: 0 }),
      Buffer.concat([macs(gateway, base.from), Buffer.from([0x86, 0xdd]), Buffer.alloc(60, 1)]),
      Buffer.concat([macs(gateway, base.from), Buffer.from([0x88, 0xb5]), Buffer.alloc(60, 1)]),
      // A lie: the gateway's address at the guest's MAC, and the guest's at another.
      arpFrame({ from: base.from, sender: base.from, address: "10.127.0.1" }),
      arpFrame({ from: base.from, sender: "02:00:00:00:00:09", address: "10.127.0.2" }),
      udpFrame({ ...base, text: "marker-1" }),
    ])
      one.inject(frame);
    const seen: string[] = [];
    for (let text = ""; text !== "marker-1";) {
      text = (JSON.parse(await internet.line()) as { text?: string }).text ?? "";
      seen.push(text);
    }
    expect(seen.filter((text) => text === "evil")).toEqual([]);
    expect(await host.ok(["ip", "-n", "hype-2", "neigh", "show", "dev", "tap0"])).toBe(
      "10.127.0.2 lladdr 02:68:79:70:65:01 PERMANENT \n",
    );
    expect(await one.probe(tcp("8.8.8.8"))).toBe("internet");
    expect(await one.probe({ kind: "udp", to: "2a00:50::1", port: 9000, waitMs: 300 })).not.toBe("host");
  }, 20_000);
});

/** Sends one datagram to each of many ports, in turns, so that the wire keeps up. */
const OPEN_MANY = `const s = require("dgram").createSocket("udp4"); let port = Number(process.argv[1]); const last = port + 2500;
s.on("error", () => {}); const turn = () => { for (let i = 0; i < 20; i++) s.send("x", port++, "8.8.8.8", () => {}); if (port < last) setImmediate(turn); else s.close(); }; turn();`;

/** Asks the guest's name server; prints the first address, or the bytes of the texts under a long name. */
const LOOK_UP = `const { Resolver } = require("dns").promises; const r = new Resolver({ timeout: 1000, tries: 1 }); r.setServers(["10.127.0.1"]);
const name = process.argv[1]; const look = name.startsWith("long") ? r.resolveTxt(name).then((t) => t.flat().join("").length) : r.resolve4(name).then((a) => a[0]);
look.then((x) => console.log(x), (e) => console.log(e.code));`;

/** Reads past what earlier tests sent, up to a datagram of this one. */
async function drainUntilMarker(internet: Talker, guest: Guest, never = "nothing such"): Promise<string> {
  await guest.ok([
    process.execPath,
    "-e",
    `const s = require("dgram").createSocket("udp4"); s.send("marker-0", 9000, "8.8.8.8", () => s.close());`,
  ]);
  for (;;) {
    const line = await internet.line();
    expect(line).not.toContain(never);
    if (line.includes("marker-0")) return line;
  }
}
