import { Database } from "bun:sqlite";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig } from "../../src/config/load.ts";
import { paths } from "../../src/config/paths.ts";
import type { CreateVm, EventType, Vm, VmEvent } from "../../src/contract/index.ts";
import { Engine } from "../../src/engine/engine.ts";
import { type Context, TIMING, type Timing } from "../../src/engine/context.ts";
import { EventBus } from "../../src/engine/event-bus.ts";
import { VmLocks } from "../../src/engine/lock.ts";
import { endStrays } from "../../src/engine/release.ts";
import { findProcesses } from "../../src/host/find-processes.ts";
import type { HypervisorDriver } from "../../src/hypervisor/driver.ts";
import { Cgroups } from "../../src/hypervisor/jail/cgroups.ts";
import { HostJailer } from "../../src/hypervisor/jail/host-jailer.ts";
import type { Jailer } from "../../src/hypervisor/jail/jail.ts";
import { NoJail } from "../../src/hypervisor/jail/no-jail.ts";
import type { BootableImage } from "../../src/image/types.ts";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { openStore, PRAGMAS } from "../../src/store/open.ts";
import { Store } from "../../src/store/store.ts";
import { ended, processesOf } from "../lib/chromium.ts";
import { FakeDriver } from "../lib/fake-driver.ts";
import { FakeNetwork } from "../lib/fake-network.ts";

export type WorldOptions = {
  home?: string;
  memoryTotalMb?: number;
  cpuCores?: number;
  timing?: Partial<Timing>;
  env?: Record<string, string>;
  clock?: () => number;
  /** What VMMs are locked into; nothing when not given. */
  jailer?: (config: Config) => Jailer;
  /** How the engine comes by its driver; at once when not given. */
  openDriver?: (driver: FakeDriver) => Promise<HypervisorDriver>;
};

/** An engine on a state of its own, with doubles where the machine begins. */
export class World implements AsyncDisposable {
  readonly home: string;
  readonly config: Config;
  readonly store: Store;
  readonly driver = new FakeDriver();
  readonly network = new FakeNetwork();
  readonly engine: Engine;
  readonly #db: Database;
  #dead = false;
  resolve: (ref: string | null) => Promise<BootableImage> = async (ref) => imageNamed(ref ?? "0123456789abcdef");

  constructor(private readonly options: WorldOptions = {}) {
    this.home = options.home ?? mkdtempSync(join(tmpdir(), "hype-world-"));
    this.config = loadConfig({ OVERHYPED_HOME: this.home, ...options.env });
    openStore(this.config.dbPath).close();
    this.#db = new Database(this.config.dbPath, { strict: true });
    for (const pragma of PRAGMAS) this.#db.run(pragma);
    this.store = new Store(this.#db, this.config.dbPath, null);
    this.engine = new Engine({
      config: this.config,
      log: silentLog,
      store: this.store,
      driver: options.openDriver ? () => options.openDriver!(this.driver) : this.driver,
      network: this.network,
      jailer: options.jailer?.(this.config) ?? new NoJail("a test"),
      images: { resolve: (ref) => this.resolve(ref) },
      host: { memoryTotalMb: () => options.memoryTotalMb ?? 1_000_000, cpuCores: () => options.cpuCores ?? 8 },
      timing: { stopGraceMs: 5_000, ...options.timing },
      ...(options.clock ? { clock: options.clock } : {}),
    });
  }

  /** Lets the database grow no further, as a full disk would, or takes that back. */
  limitDatabase(full: boolean): void {
    const { page_count } = this.#db.query("pragma page_count").get() as { page_count: number };
    this.#db.run(`pragma max_page_count = ${full ? page_count : 1_000_000}`);
  }

  /** For tests that left operations hanging: nothing is waited for. */
  abandon(): void {
    this.store.close();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** The server dies: nothing is tidied, and what still hangs in this process can change nothing any more. */
  die(): void {
    this.#dead = true;
    this.store.close();
  }

  /** Another server on the same state, after its reconcile. */
  async next(options: WorldOptions = {}): Promise<World> {
    const world = new World({ ...this.options, ...options, home: this.home });
    await world.engine.reconcile();
    return world;
  }

  /** What is left of VMs on the machine, in words; empty when nothing is. */
  leftovers(): string[] {
    const inside = (parent: string) =>
      (existsSync(parent) ? readdirSync(parent) : []).map((name) => join(parent, name));
    return [
      ...this.store.vms.all().map((vm) => `row ${vm.name} ${vm.status}`),
      ...(this.store.leases.used() > 0 ? [`${this.store.leases.used()} leases`] : []),
      ...inside(this.config.runtimeDir),
      ...inside(this.config.logDir),
      ...findProcesses(this.home).map((identity) => `process ${identity.pid}`),
    ];
  }

  /** Looks into or changes the state of a world whose server died. */
  offline<T>(work: (store: Store) => T): T {
    using store = openStore(this.config.dbPath);
    return work(store);
  }

  runDir(vm: Vm): string {
    return paths.vmRun(this.config, vm.id);
  }

  events(vm?: string): VmEvent[] {
    return this.engine.events({ limit: 1000, ...(vm === undefined ? {} : { vm }) }).items;
  }
  types(vm?: string): string[] {
    return this.events(vm).map(({ type, data }) =>
      type === "VM_BOOT_PROGRESS" ? `${type} ${String(data.phase)}` : type,
    );
  }

  /** The first event of a type that is there or comes; tests wait for this, never for time. */
  async event(type: EventType, vm?: string): Promise<VmEvent> {
    for await (const event of this.engine.subscribe(0, AbortSignal.timeout(20_000)))
      if (event.type === type && (vm === undefined || event.vm_name === vm)) return event;
    throw new Error(`no ${type} came; there was ${this.types().join(", ")}`);
  }

  /** Orders a running guest stub to do something; see test/fake/guest-stub.ts. */
  async order(vm: Vm, order: string, body = ""): Promise<unknown> {
    const reply = await fetch(`${vm.endpoint}/stub/${order}`, { method: "POST", body }).catch(() => null);
    return reply && (await reply.json());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#dead) return; // its state is the next one's
    await this.engine.shutdown();
    const all = findProcesses(this.home).flatMap(({ pid }) => processesOf(pid));
    await endStrays(this.home);
    // What a Chromium started ends a moment after it, and until then writes into its profile.
    await ended(all);
    this.store.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}

export const imageNamed = (id: string): BootableImage => ({
  id,
  format: "layered",
  kernel: "/images/vmlinuz",
  initramfs: "/images/initramfs",
  rootfs: "/images/rootfs.erofs",
  manifest: {} as BootableImage["manifest"],
});

export const request = (name: string, change: Partial<CreateVm> = {}): CreateVm => ({
  name,
  cpu_cores: 1,
  memory_mb: 512,
  kernel_cmdline: null,
  image: null,
  profile: null,
  labels: {},
  ttl_seconds: null,
  egress: null,
  proxy: null,
  keep: [],
  ...change,
});

/** What the engine's operations share, for tests of one of them. */
export const contextOf = (world: World): Context => ({
  config: world.config,
  log: silentLog,
  store: world.store,
  network: world.network,
  jailer: new NoJail("a test"),
  profiles: new Profiles({ config: world.config, store: world.store, log: silentLog }),
  driver: async () => world.driver,
  images: { resolve: world.resolve },
  host: { memoryTotalMb: () => 1_000_000, cpuCores: () => 8 },
  clock: Date.now,
  timing: TIMING,
  bus: new EventBus(world.store.events),
  locks: new VmLocks(),
  live: new Map(),
  closing: new AbortController(),
  background: new Set(),
});

/** Jails that are a cgroup and nothing else: stubs keep the user of the test. */
export function cgroupsOnly(config: Config): Jailer {
  const none = { reason: "a test" };
  const cgroups = Cgroups.open(config.home);
  return new HostJailer({ user: none, cgroups, capabilities: none, emptyNetwork: none }, config.imageDir, false);
}

/** A promise from outside: hooks hang on one, tests wait for another. */
export const gate = () => Promise.withResolvers<void>();
export const forever = (): Promise<never> => new Promise(() => {});

/** Resolves as soon as it holds; looks again at every turn of the event loop, and at most until the test's deadline. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
