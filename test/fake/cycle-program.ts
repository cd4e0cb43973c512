/**
 * A server reduced to its engine, on a private host that is set up for slots: real slots, real cgroups, stubs for guests. Creates and
 * deletes VMs, `argv[2]` of them, and writes one line of JSON: what the process and the host hold after a quarter of them, and at the end.
 */
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../../src/config/load.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { silentLog } from "../../src/log/log.ts";
import type { Attachment, AttachmentRecord, Network, NetworkClient } from "../../src/network/network.ts";
import { restoreHostNetwork } from "../../src/network/slot/host.ts";
import { SlotNetwork } from "../../src/network/slot/slot-network.ts";
import { openStore } from "../../src/store/open.ts";
import { cgroupsOnly, imageNamed, request } from "../engine/world.ts";
import { FakeDriver } from "../lib/fake-driver.ts";
import { FakeNetwork } from "../lib/fake-network.ts";

/** Slots whose guests are stubs: those answer on a loopback address instead of behind the tap. */
class StubbedSlots extends SlotNetwork {
  readonly #stubs = new FakeNetwork();

  override async attach(vm: NetworkClient, signal: AbortSignal): Promise<Attachment> {
    const slot = await super.attach(vm, signal);
    const { record, nic, ipParameter } = await this.#stubs.attach(vm, signal);
    const { endpoint, processes } = record;
    return { record: { ...slot.record, endpoint, processes }, nic, ipParameter };
  }
  override async alive(record: AttachmentRecord): Promise<boolean> {
    return (await super.alive(record)) && (await this.#stubs.alive(record));
  }
  override async detach(record: AttachmentRecord): Promise<void> {
    await this.#stubs.detach(record);
    await super.detach(record);
  }
}

const config: Config = loadConfig();
await restoreHostNetwork(config);
using store = openStore(config.dbPath);
const network: StubbedSlots & Network = new StubbedSlots(config, silentLog, { uidOf: () => null });
await network.start();
const jailer = cgroupsOnly(config);
const cgroups = dirname(jailer.cgroupOf(Bun.randomUUIDv7()) ?? "/nonexistent/none");
const engine = new Engine({
  config,
  log: silentLog,
  store,
  network,
  driver: new FakeDriver(),
  jailer,
  images: { resolve: async () => imageNamed("0123456789abcdef") },
  host: { memoryTotalMb: () => 1_000_000, cpuCores: () => 8 },
});
await engine.reconcile();

const output = (...argv: string[]) => Bun.spawnSync(argv).stdout.toString().trim();
const names = (path: string) => (existsSync(path) ? readdirSync(path) : []);
/** What is held, besides the slots that are kept ready: those go with the network at the end. */
function held() {
  Bun.gc(true);
  return {
    files: readdirSync("/proc/self/fd").length,
    memoryMb: process.memoryUsage.rss() / 1e6,
    leases: store.leases.used(),
    rows: engine.list({}).total,
    run: names(config.runtimeDir),
    logs: names(config.logDir),
    cgroups: names(cgroups).filter((name) => name.startsWith("vm-")),
    links: output("ip", "-o", "link").split("\n").length,
    namespaces: names("/run/netns").length,
    tables: output("nft", "list", "tables"),
    children: output("pgrep", "-P", String(process.pid)),
  };
}

const cycles = Number(process.argv[2]);
let early: ReturnType<typeof held> | null = null;
for (let n = 1; n <= cycles; n++) {
  await engine.create(request(`vm-${n}`));
  await engine.delete(`vm-${n}`);
  if (n === Math.round(cycles / 4)) early = held();
}
const late = held();
await engine.shutdown();
await network[Symbol.asyncDispose]();
console.log(JSON.stringify({ early, late, links: output("ip", "-o", "link"), namespaces: names("/run/netns") }));
