/** Times of the slot network, taken inside a private host. Prints one JSON object of lists of milliseconds. */
import { loadConfig } from "../../src/config/load.ts";
import type { EgressPolicy } from "../../src/contract/index.ts";
import { silentLog } from "../../src/log/log.ts";
import type { AttachmentRecord } from "../../src/network/network.ts";
import { restoreHostNetwork } from "../../src/network/slot/host.ts";
import { SlotNetwork } from "../../src/network/slot/slot-network.ts";

const ROUNDS = 40;
const config = loadConfig({
  OVERHYPED_CONFIG: "/nonexistent",
  OVERHYPED_HOME: "/bench",
  OVERHYPED_SUBNET: "192.168.0.0/22",
  OVERHYPED_READY_SLOTS: "4",
});
const signal = new AbortController().signal;
const times: Record<string, number[]> = {};

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  (times[name] ??= []).push(performance.now() - started);
  return result;
}

await restoreHostNetwork(config);
const cold = new SlotNetwork({ ...config, readySlots: 0 }, silentLog, { uidOf: () => 0 });
const attach = async (network: SlotNetwork, slot: number, egress: EgressPolicy = network.defaultEgress) =>
  (
    await network.attach(
      {
        id: "",
        name: "bench",
        ipAddress: `192.168.${slot >> 8}.${slot & 255}`,
        runDir: "/",
        logDir: "/",
        uid: 0,
        egress,
      },
      signal,
    )
  ).record;

async function sh(script: string): Promise<void> {
  const child = Bun.spawn(["sh", "-euc", script], { stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`the raw commands failed: ${script}`);
}

/** The same parts typed one after the other, with the least of rules. */
const rawBuild = (name: string, address: string) => `
ip netns add ${name}
ip link add ${name} type veth peer name out0 netns ${name}
ip link set ${name} master hypebr0 up
bridge link set dev ${name} isolated on
ip -n ${name} tuntap add dev tap0 mode tap user 0 group 0 vnet_hdr
ip -n ${name} address add 10.127.0.1/30 dev tap0
ip -n ${name} link set tap0 up
ip -n ${name} address add ${address}/22 dev out0
ip -n ${name} link set out0 up
ip -n ${name} route add default via 192.168.0.1
ip netns exec ${name} sysctl -q -w net.ipv4.ip_forward=1
ip netns exec ${name} nft 'add table ip t; add chain ip t p { type nat hook postrouting priority 100; }; add rule ip t p oifname out0 snat to ${address}'
`;
const rawRemove = (name: string) => `ip netns delete ${name}\nip link delete ${name} 2> /dev/null || true`;
// All built before the first is removed: the kernel takes namespaces apart in the background, under the lock that building needs.
const records: AttachmentRecord[] = [];
for (let round = 0; round < ROUNDS; round++) {
  records.push(await timed("cold", () => attach(cold, 10 + round)));
  await timed("raw", () => sh(rawBuild(`raw-${round}`, `192.168.2.${round + 1}`)));
}
for (const [round, record] of records.entries()) {
  await timed("remove", () => cold.detach(record));
  await timed("rawRemove", () => sh(rawRemove(`raw-${round}`)));
}

const pool = new SlotNetwork(config, silentLog, { uidOf: () => 0 });
await pool.start();
const held: AttachmentRecord[] = [];
while (held.length < ROUNDS) {
  await pool.reconcile(held);
  await pool.filled();
  for (const slot of pool.readySlots()) held.push(await timed("ready", () => attach(pool, slot)));
}
const record = held[0]!;
const changes: EgressPolicy[] = [
  { mode: "none", allow: ["203.0.113.0/24:443"], deny: ["10.0.0.0/8"] },
  { mode: "internet", allow: [], deny: [] },
];
for (let round = 0; round < ROUNDS; round++) await timed("policy", () => pool.setEgress(record, changes[round % 2]!));
const entries = Array.from({ length: 10_000 }, (_, index) => `11.${index >> 8}.${index & 255}.0/24`);
for (let round = 0; round < 5; round++)
  await timed("policy10k", () => pool.setEgress(record, { mode: "none", allow: entries, deny: [] }));
for (const one of held.splice(0)) await pool.detach(one);
await pool[Symbol.asyncDispose]();

for (let slot = 300; slot < 400; slot++) held.push(await timed("hundred", () => attach(cold, slot)));
for (let slot = 400; slot < 500; slot++) held.push(await attach(cold, slot));
const sweeping = new SlotNetwork({ ...config, readySlots: 0 }, silentLog, { uidOf: () => 0 });
await sweeping.start();
for (let round = 0; round < 10; round++)
  await timed(round === 0 ? "firstReconcile" : "reconcile", () => sweeping.reconcile(held));
await sweeping[Symbol.asyncDispose]();
for (const one of held.slice(0, 100)) await timed("hundredRemoved", () => cold.detach(one));
for (const one of held.slice(100)) await cold.detach(one);
await cold[Symbol.asyncDispose]();
process.stdout.write(JSON.stringify(times));
