import type {
  Activity,
  CreateVm,
  Egress,
  EgressPolicy,
  EventList,
  EventType,
  ListVmsQuery,
  Proxy,
  ResizeVm,
  Vm,
  VmEvent,
  VmList,
  VmProxy,
  VmProxyChanged,
} from "../contract/index.ts";
import { HypeError } from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import { hostCpuCores, hostMemory } from "../host/resources.ts";
import type { HypervisorDriver } from "../hypervisor/driver.ts";
import { Profiles } from "../profiles/profiles.ts";
import { poolSize } from "../store/leases.ts";
import { ActivityMonitor } from "./activity.ts";
import { memoryCommittedMb } from "./capacity.ts";
import { type Context, type EngineOptions, inBackground, mustFind, TIMING } from "./context.ts";
import { type ControlHolder, returnControl, returnLostControl, takeControl } from "./control.ts";
import { create } from "./create.ts";
import { deleteVm } from "./delete.ts";
import { logFiles } from "./directories.ts";
import { egress, setEgress } from "./egress.ts";
import { EventBus } from "./event-bus.ts";
import { Expiry } from "./expiry.ts";
import { VmLocks } from "./lock.ts";
import { pause, resume } from "./pause.ts";
import { proxy, setProxy } from "./proxy.ts";
import { reconcile } from "./reconcile.ts";
import { Refusals } from "./refusals.ts";
import { resize } from "./resize.ts";
import { restart, start } from "./start.ts";
import { stop } from "./stop.ts";
import type { EngineApi, OperationOptions } from "./types.ts";

const DEFAULT_EVENTS = 100;
const MOST_EVENTS = 1000;

/** The life of the VMs of one state. Build it, `await reconcile()`, use it, `await shutdown()`. */
export class Engine implements EngineApi {
  readonly #ctx: Context;
  readonly #expiry: Expiry;
  readonly #refusals: Refusals;
  readonly #activity: ActivityMonitor;
  #sweeper: Timer | undefined;

  constructor(options: EngineOptions) {
    this.#ctx = {
      host: { memoryTotalMb: () => hostMemory().totalMb, cpuCores: hostCpuCores },
      clock: Date.now,
      profiles: new Profiles(options),
      ...options,
      driver: lazily(options.driver),
      timing: { ...TIMING, ...options.timing },
      bus: new EventBus(options.store.events),
      locks: new VmLocks(),
      live: new Map(),
      closing: new AbortController(),
      background: new Set(),
    };
    this.#activity = new ActivityMonitor(this.#ctx);
    this.#expiry = new Expiry(this.#ctx);
    this.#refusals = new Refusals(this.#ctx, this.#ctx.timing.refusalsMs);
    this.#refusals.start();
  }

  /** Takes up what an earlier server left, then looks again every 30 s. Resolves when every VM was seen to. */
  async reconcile(): Promise<void> {
    clearTimeout(this.#sweeper);
    returnLostControl(this.#ctx);
    await reconcile(this.#ctx);
    this.#ctx.store.events.prune();
    this.#expiry.arm();
    if (this.#ctx.closing.signal.aborted) return;
    this.#sweeper = setTimeout(() => inBackground(this.#ctx, "sweep", this.reconcile()), this.#ctx.timing.sweepMs);
    this.#sweeper.unref();
  }

  /** Lets go of everything; the VMs run on and the next server takes them up. Harmless twice. */
  async shutdown(): Promise<void> {
    const { closing, locks, live, background } = this.#ctx;
    const reason = new HypeError("shutting_down", "the server is shutting down; the VM runs on");
    closing.abort(reason);
    clearTimeout(this.#sweeper);
    this.#expiry.disarm();
    this.#refusals.stop();
    locks.cancelAll(reason);
    for (const vm of live.values()) vm.watch?.abort();
    await locks.idle();
    await Promise.all(background);
    for (const vm of live.values()) {
      vm.gone.abort(reason);
      vm.machine.detach();
    }
    live.clear();
  }

  async create(input: CreateVm, options: OperationOptions = {}): Promise<Vm> {
    const created = create(this.#ctx, input, options);
    if (input.ttl_seconds !== null) this.#expiry.arm(); // the row is there since the call
    return await created;
  }

  start(ref: string, options: OperationOptions = {}): Promise<Vm> {
    return start(this.#ctx, ref, options);
  }
  stop(ref: string, options: OperationOptions & { force?: boolean } = {}): Promise<Vm> {
    return stop(this.#ctx, ref, options);
  }
  restart(ref: string, options: OperationOptions = {}): Promise<Vm> {
    return restart(this.#ctx, ref, options);
  }
  pause(ref: string): Promise<Vm> {
    return pause(this.#ctx, ref);
  }
  resume(ref: string): Promise<Vm> {
    return resume(this.#ctx, ref);
  }
  resize(ref: string, size: ResizeVm): Promise<Vm> {
    return resize(this.#ctx, ref, size);
  }
  delete(ref: string): Promise<void> {
    return deleteVm(this.#ctx, ref);
  }

  get(ref: string): Vm {
    return mustFind(this.#ctx, ref);
  }
  list(query: ListVmsQuery): VmList {
    return this.#ctx.store.vms.list(query);
  }

  guest(ref: string): Guest {
    const vm = mustFind(this.#ctx, ref);
    const live = this.#ctx.live.get(vm.id);
    if (vm.status !== "running" || !live || live.gone.signal.aborted) throw notRunning(vm);
    return live.guest;
  }

  whenGone(ref: string): { signal: AbortSignal } {
    const vm = mustFind(this.#ctx, ref);
    return { signal: this.#ctx.live.get(vm.id)?.gone.signal ?? AbortSignal.abort(notRunning(vm)) };
  }

  egress(ref: string): Promise<Egress> {
    return egress(this.#ctx, ref);
  }
  setEgress(ref: string, policy: EgressPolicy): Promise<Egress> {
    return setEgress(this.#ctx, ref, policy);
  }

  proxy(ref: string): VmProxy {
    return proxy(this.#ctx, ref);
  }
  setProxy(ref: string, next: Proxy | null): Promise<VmProxyChanged> {
    return setProxy(this.#ctx, ref, next);
  }

  takeControl(ref: string, who: ControlHolder, options: { force?: boolean } = {}): Vm {
    return takeControl(this.#ctx, ref, who, options.force === true);
  }
  returnControl(ref: string, reason: string): Vm {
    return returnControl(this.#ctx, ref, reason);
  }

  logFiles(ref: string): { console: string; vmm: string } {
    return logFiles(this.#ctx, mustFind(this.#ctx, ref).id);
  }

  /** `limit` is 100 when not given, at most 1000. `vm` also names VMs that are deleted. */
  events(query: { after?: number; limit?: number; vm?: string; type?: EventType }): EventList {
    const limit = Math.min(Math.max(1, query.limit ?? DEFAULT_EVENTS), MOST_EVENTS);
    const rows = this.#ctx.store.events.list({
      after: query.after ?? 0,
      limit: limit + 1,
      vm: query.vm,
      type: query.type,
    });
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? (items.at(-1)?.seq ?? null) : null };
  }

  lastEventSeq(): number {
    return this.#ctx.store.events.lastSeq();
  }

  subscribe(after: number | null, signal: AbortSignal): AsyncIterable<VmEvent> {
    return this.#ctx.bus.subscribe(after, AbortSignal.any([signal, this.#ctx.closing.signal]));
  }

  /** Another room appended rows to the events: whoever reads them is told. Call after the commit. */
  eventsAppended(): void {
    this.#ctx.bus.wake();
  }

  activity(): Activity {
    return this.#activity.now();
  }

  counts(): ReturnType<EngineApi["counts"]> {
    const totals = this.#ctx.store.vms.totals();
    return {
      total: totals.reduce((sum, row) => sum + row.count, 0),
      byStatus: Object.fromEntries(totals.map((row) => [row.status, row.count])),
      memoryCommittedMb: memoryCommittedMb(this.#ctx),
      leasesUsed: this.#ctx.store.leases.used(),
      leasesTotal: poolSize(this.#ctx.config),
    };
  }

  /** Image id → names of the VMs that were made from it. */
  imagesInUse(): Map<string, string[]> {
    const names = new Map<string, string[]>();
    for (const vm of this.#ctx.store.vms.all()) names.set(vm.image, [...(names.get(vm.image) ?? []), vm.name]);
    return names;
  }
}

const notRunning = (vm: Vm): HypeError =>
  new HypeError("vm_not_running", `${vm.name} is ${vm.status}`, { vm: vm.name, status: vm.status });

/** One driver for all, opened at the first need; an attempt that failed is made again at the next. */
function lazily(driver: EngineOptions["driver"]): () => Promise<HypervisorDriver> {
  if (typeof driver !== "function") return async () => driver;
  let opened: Promise<HypervisorDriver> | null = null;
  return () => {
    opened ??= driver().catch((thrown: unknown) => {
      opened = null;
      throw thrown;
    });
    return opened;
  };
}
