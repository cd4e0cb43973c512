import { rmSync } from "node:fs";
import {
  type CreateVm,
  type Egress,
  type EgressPolicy,
  type PageShown,
  type ResizeVm,
  HypeError,
  type Proxy,
  shownProxy,
  type VmProxy,
  type VmProxyChanged,
  type Vm,
  type VmEvent,
} from "../../src/contract/index.ts";
import type { EngineApi } from "../../src/engine/types.ts";
import type { Guest } from "../../src/guest/guest.ts";

/** An engine of rows without machines: what the server's own behaviour is tested against. */
export class FakeEngine implements EngineApi {
  readonly rows = new Map<string, Vm>();
  readonly log: VmEvent[] = [];
  readonly calls: string[] = [];
  readonly gone = new Map<string, AbortController>();
  /** Settles the creations that wait. */
  readonly boot = Promise.withResolvers<void>();
  guests = new Map<string, Guest>();
  slowReaderRows = 10_000;
  logDir = "/nonexistent";
  #woken = Promise.withResolvers<void>();
  #count = 0;

  add(name: string, overrides: Partial<Vm> = {}): Vm {
    const at = new Date(1_700_000_000_000 + this.#count * 1000).toISOString();
    const suffix = String(++this.#count).padStart(12, "0");
    const vm: Vm = {
      id: `018bcfe5-6800-7000-8000-${suffix}`,
      name,
      status: "running",
      status_reason: null,
      console_tail: null,
      generation: 1,
      cpu_cores: 1,
      memory_mb: 1024,
      kernel_cmdline: null,
      network: "user",
      keep: [],
      egress_mode: "open",
      isolation: null,
      image: "0123456789abcdef",
      profile: null,
      labels: { team: "web" },
      ttl_seconds: null,
      expires_at: null,
      ip_address: `192.168.127.${this.#count + 1}`,
      endpoint: "127.0.0.1:1",
      hypervisor: "qemu",
      accelerator: "tcg",
      pid: 1234,
      boot_ms: 7900,
      browser_restarts: 0,
      control: null,
      created_at: at,
      started_at: at,
      updated_at: at,
      ...overrides,
    };
    this.rows.set(name, vm);
    this.gone.set(name, new AbortController());
    this.emit("VM_CREATED", vm);
    return vm;
  }

  emit(type: VmEvent["type"], vm: Vm): void {
    const data = type === "VM_CREATED" ? { labels: vm.labels } : {};
    this.append({ type, vm_id: vm.id, vm_name: vm.name, at: vm.updated_at, data });
  }

  append(event: Omit<VmEvent, "seq">): void {
    this.log.push({ ...event, seq: this.log.length + 1 });
    const woken = this.#woken;
    this.#woken = Promise.withResolvers();
    woken.resolve();
  }

  get(ref: string): Vm {
    const vm = this.rows.get(ref) ?? [...this.rows.values()].find(({ id }) => id === ref);
    if (!vm) throw new HypeError("vm_not_found", `there is no VM ${ref}`, { vm: ref });
    return vm;
  }

  async create(input: CreateVm, options: { wait?: boolean } = {}): Promise<Vm> {
    this.calls.push(`create ${input.name} ${options.wait}`);
    if (this.rows.has(input.name)) throw new HypeError("vm_name_taken", `the name ${input.name} is taken`);
    if (input.memory_mb > 100_000)
      throw new HypeError("insufficient_memory", "the host has less", { wanted_mb: input.memory_mb });
    if (input.name === "broken") throw new Error("secret internals");
    if (input.name === "malformed") return { ...this.add("malformed"), cpu_cores: "one" as never };
    if (input.name === "slow") await this.boot.promise;
    return this.add(input.name, {
      cpu_cores: input.cpu_cores,
      memory_mb: input.memory_mb,
      labels: input.labels,
      keep: input.keep,
    });
  }

  #act(action: string, ref: string, options: object = {}): Promise<Vm> {
    this.calls.push(`${action} ${ref} ${JSON.stringify(options)}`);
    return Promise.resolve(this.get(ref));
  }
  start = async (ref: string, options = {}) => this.#act("start", ref, options);
  stop = async (ref: string, options = {}) => this.#act("stop", ref, options);
  restart = async (ref: string, options = {}) => this.#act("restart", ref, options);
  pause = async (ref: string) => this.#act("pause", ref);
  resume = async (ref: string) => {
    const vm = await this.#act("resume", ref);
    if (vm.status !== "paused")
      throw new HypeError("vm_state_conflict", `${ref} is ${vm.status}: only a paused VM can be resumed`);
    return vm;
  };

  async resize(ref: string, size: ResizeVm): Promise<Vm> {
    this.calls.push(`resize ${ref} ${JSON.stringify(size)}`);
    const vm = this.get(ref);
    if (vm.status === "running") throw new HypeError("vm_state_conflict", `${ref} is running`);
    Object.assign(vm, size);
    return vm;
  }

  async delete(ref: string): Promise<void> {
    const vm = this.get(ref);
    this.rows.delete(vm.name);
    this.gone.get(vm.name)?.abort(new HypeError("vm_not_running", `${vm.name} was deleted`));
    this.emit("VM_DELETED", vm);
    rmSync(`${this.logDir}/${vm.name}`, { recursive: true, force: true });
  }

  list({
    limit,
    offset,
    status,
  }: {
    limit?: string | undefined;
    offset?: string | undefined;
    status?: string | undefined;
  }) {
    const all = [...this.rows.values()].filter((vm) => !status || vm.status === status);
    const start = Number(offset ?? 0);
    return { items: all.slice(start, start + Number(limit ?? 100)), total: all.length };
  }

  guest(ref: string): Guest {
    const vm = this.get(ref);
    if (vm.status !== "running")
      throw new HypeError("vm_not_running", `${ref} is ${vm.status}`, { vm: vm.name, status: vm.status });
    const guest = this.guests.get(vm.name);
    if (!guest) throw new HypeError("guest_unreachable", "nobody there");
    return guest;
  }

  whenGone(ref: string): { signal: AbortSignal } {
    const controller = this.gone.get(this.get(ref).name);
    if (!controller) throw new HypeError("vm_not_found", ref);
    return { signal: controller.signal };
  }

  takeControl(ref: string, who: { link: string | null; label: string | null }, { force = false } = {}): Vm {
    const vm = this.get(ref);
    if (vm.status !== "running") throw new HypeError("vm_not_running", `${ref} is ${vm.status}`);
    if (vm.control && !force && !(vm.control.link === null && who.link !== null))
      throw new HypeError("control_held", "somebody has control");
    vm.control = { holder: "human", ...who, since: vm.updated_at };
    this.emit("VM_CONTROL_TAKEN", vm);
    return vm;
  }
  returnControl(ref: string): Vm {
    const vm = this.get(ref);
    if (vm.control) {
      vm.control = null;
      this.emit("VM_CONTROL_RETURNED", vm);
    }
    return vm;
  }

  logFiles = (ref: string) => {
    const { name } = this.get(ref);
    return { console: `${this.logDir}/${name}/console.log`, vmm: `${this.logDir}/${name}/vmm.log` };
  };

  readonly pages = new Map<string, PageShown>();
  activity = () => ({
    at: new Date(0).toISOString(),
    items: [...this.rows.values()]
      .filter(({ status }) => status === "running")
      .map(({ id, name }) => ({ id, name, cpu_percent: 1.5, memory_mb: 300, page: this.pages.get(name) ?? null })),
  });

  readonly policies = new Map<string, EgressPolicy>();
  async egress(ref: string): Promise<Egress> {
    const { name } = this.get(ref);
    const policy = this.policies.get(name) ?? { mode: "internet", allow: [], deny: [] };
    const refusals = [{ protocol: "tcp", address: "10.0.0.1", port: 22, packets: 3 }];
    const nothing = { packets: 0, bytes: 0 };
    return { policy, enforced: true, allowed: nothing, refused: { packets: 3, bytes: 180 }, refusals };
  }
  async setEgress(ref: string, policy: EgressPolicy): Promise<Egress> {
    this.calls.push(`egress ${ref} ${JSON.stringify(policy)}`);
    if (policy.mode === "none") throw new HypeError("egress_unsupported", "the user network cannot police");
    this.policies.set(this.get(ref).name, policy);
    return await this.egress(ref);
  }

  readonly proxies = new Map<string, Proxy | null>();
  proxy(ref: string): VmProxy {
    return { proxy: shownProxy(this.proxies.get(this.get(ref).name) ?? null), in_force: true };
  }
  async setProxy(ref: string, next: Proxy | null): Promise<VmProxyChanged> {
    const { name } = this.get(ref);
    const restarted = !this.proxies.get(name) !== !next;
    this.proxies.set(name, next);
    return { ...this.proxy(ref), browser_restarted: restarted };
  }

  events({
    after = 0,
    limit = 100,
    vm,
    type,
  }: {
    after?: number;
    limit?: number;
    vm?: string;
    type?: VmEvent["type"];
  }) {
    const items = this.log
      .filter((event) => event.seq > after && (!type || event.type === type))
      .filter((event) => !vm || event.vm_id === vm || event.vm_name === vm)
      .slice(0, limit);
    return { items, next: items.length === limit ? (items.at(-1)?.seq ?? null) : null };
  }

  lastEventSeq = (): number => this.log.length;

  async *subscribe(after: number | null, signal: AbortSignal): AsyncGenerator<VmEvent> {
    let seen = after ?? this.log.length;
    while (!signal.aborted) {
      const woken = this.#woken.promise;
      if (this.log.length - seen > this.slowReaderRows)
        throw new HypeError("reader_too_slow", "the reader fell behind", { last_seq: seen });
      for (const event of this.log.slice(seen)) {
        seen = event.seq;
        yield event;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(), { once: true });
      void woken.then(resolve);
      if (!signal.aborted) await promise;
    }
  }

  counts() {
    return {
      total: this.rows.size,
      byStatus: { running: this.rows.size },
      memoryCommittedMb: 1024 * this.rows.size,
      leasesUsed: this.rows.size,
      leasesTotal: 252,
    };
  }
  imagesInUse = () => new Map<string, string[]>();
}
