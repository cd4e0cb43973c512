import type { Client } from "../../client/types.ts";
import { HypeError, messageOf, type Vm, type VmEvent } from "../../contract/index.ts";
import { applyEvents, applyList, applyVm } from "../state/apply.ts";
import type { Store } from "../state/store.ts";
import { noteActivity } from "../state/usage.ts";
import { pause } from "./pause.ts";

/** Between two samples of what the VMs do, milliseconds. */
const SAMPLE_MS = 2_000;
const RETRY_MS = { first: 500, last: 10_000 };
/** Events that come in a burst are taken in together. */
const BURST_MS = 50;
const PAGE = 1_000;
/** When more VMs changed at once, one list costs less than that many questions. */
const MOST_SINGLY = 20;
/** Between two such lists, milliseconds: a flood of events must not become a flood of lists. */
const LISTS_APART_MS = 400;
/** A server that takes longer for a list is as good as gone, milliseconds. */
const ANSWER_MS = 20_000;
/** One that does not even say how it is in that time stands still, milliseconds: its stream would show so only after some heartbeats. */
const ALIVE_MS = 6_000;

/** Phases of a boot, in words that fit into a column. */
const PHASES: Record<string, string> = { spawned: "kernel", agent: "agent", browser: "browser", profile: "profile" };
const BOOT_ENDS: ReadonlySet<string> = new Set(["VM_RUNNING", "VM_CRASHED", "VM_STOPPED", "VM_DELETED"]);

/** Keeps the store as the server is: the list, then every event after it, and a sample of the VMs' doings now and then. */
export class Feed implements Disposable {
  readonly #client: Client;
  readonly #store: Store;
  readonly #stop = new AbortController();
  #waiting: VmEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #changed = new Set<string>();
  #refreshing = false;

  readonly #sampleMs: number;
  /** Ends the stream that is followed: everything is read anew then. */
  #again = new AbortController();
  /** Of the events that were seen. */
  #newest: VmEvent | null = null;

  /** @param sampleMs between two samples of what the VMs do, milliseconds */
  constructor(client: Client, store: Store, sampleMs = SAMPLE_MS) {
    this.#client = client;
    this.#store = store;
    this.#sampleMs = sampleMs;
  }

  start(): void {
    void this.#follow();
    void this.#sample();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  get #over(): boolean {
    return this.#stop.signal.aborted;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    let retryMs = RETRY_MS.first;
    while (!this.#over) {
      this.#again = new AbortController();
      try {
        const after = await this.#load();
        retryMs = RETRY_MS.first;
        let wasLost = false;
        const stream = this.#client.events.stream({
          after,
          signal: AbortSignal.any([signal, this.#again.signal]),
          onConnection: (state, why) => {
            this.#enter(state === "open" ? "online" : "offline", why ?? null);
            if (state === "lost") wasLost = true;
            else if (wasLost) void this.#recognise();
          },
        });
        for await (const event of stream) this.#note(event);
      } catch (thrown) {
        if (this.#over) return;
        const error = this.#faultOf(thrown);
        this.#enter(error.code === "unauthorized" || error.code === "forbidden" ? "refused" : "offline", error);
      }
      await pause(retryMs, signal);
      retryMs = Math.min(retryMs * 2, RETRY_MS.last);
    }
  }

  /** At an address where a server was, another may be, or the same with another database: nothing of what is shown holds then. */
  async #recognise(): Promise<void> {
    const [again, known] = [this.#again, this.#newest];
    try {
      if (!known) return again.abort();
      const { items } = await this.#client.events.list({ after: known.seq - 1, limit: 1 }, { signal: this.#soon() });
      const [same] = items;
      if (same?.seq !== known.seq || same.at !== known.at || same.vm_id !== known.vm_id) again.abort();
    } catch {
      // the stream tells what is wrong with the connection
    }
  }

  /** For one question: it ends when the feed does, or when it took too long. */
  #soon(ms = ANSWER_MS): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ms)]);
  }

  #faultOf(thrown: unknown): HypeError {
    if (!(thrown instanceof HypeError)) return new HypeError("internal", messageOf(thrown), {}, { cause: thrown });
    if (thrown.code !== "cancelled") return thrown;
    return new HypeError("server_unreachable", `${this.#client.base} did not answer within ${ANSWER_MS / 1000} s`);
  }

  /** Everything as it is now. @returns the seq of an event before which nothing is missing */
  async #load(): Promise<number> {
    const signal = this.#soon();
    // The number of the newest event first: what happens while the list is read comes again with the stream.
    const node = await this.#client.system.status({ signal });
    const vms = await this.#all();
    const { items } = await this.#client.events.list(
      { after: Math.max(0, node.last_event_seq - PAGE), limit: PAGE },
      { signal },
    );
    this.#store.update((state) => {
      applyList(state, vms);
      state.node = node;
      state.events = items.filter(({ seq }) => seq <= node.last_event_seq);
    });
    this.#newest = this.#store.state.events.at(-1) ?? null;
    this.#enter("online", null);
    void this.#sampleOnce();
    return node.last_event_seq;
  }

  #enter(status: "online" | "offline" | "refused", error: HypeError | null): void {
    if (this.#over) return;
    this.#store.update(({ connection }) => {
      if (connection.status !== status) connection.sinceMs = this.#store.now();
      connection.status = status;
      connection.error = status === "online" ? null : error;
      if (status === "online") connection.loaded = true;
    });
  }

  #note(event: VmEvent): void {
    this.#newest = event;
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const events = this.#waiting;
      this.#waiting = [];
      const booted: [id: string, phase: string | null][] = [];
      this.#store.update((state) => applyEvents(state, events));
      for (const { type, vm_id, vm_name, data } of events) {
        if (type === "VM_BOOT_PROGRESS") booted.push([vm_id, PHASES[String(data.phase)] ?? null]);
        else if (BOOT_ENDS.has(type)) booted.push([vm_id, null]);
        if (type === "VM_RUNNING") this.#store.toast("good", `${vm_name} is running`);
        if (type === "VM_CRASHED") this.#store.toast("bad", `${vm_name} crashed: ${String(data.reason ?? "")}`, true);
        this.#changed.add(vm_id);
      }
      this.#store.update(({ booting }) => {
        for (const [id, phase] of booted)
          if (phase === null) booting.delete(id);
          else booting.set(id, phase);
      });
      void this.#refresh();
    }, BURST_MS);
  }

  /** The rows of VMs that something happened to, one round after the other: what comes in meanwhile waits for the next. */
  async #refresh(): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    const { signal } = this.#stop;
    let retryMs = RETRY_MS.first;
    while (this.#changed.size > 0 && !this.#over) {
      const ids = [...this.#changed];
      this.#changed.clear();
      try {
        if (ids.length > MOST_SINGLY) {
          const vms = await this.#all();
          this.#store.update((state) => applyList(state, vms));
          await pause(LISTS_APART_MS, signal);
        } else await Promise.all(ids.map((id) => this.#one(id)));
        retryMs = RETRY_MS.first;
      } catch {
        // The stream tells what is wrong; what changed is asked for again, or the last change would never be seen.
        for (const id of ids) this.#changed.add(id);
        await pause(retryMs, signal);
        retryMs = Math.min(retryMs * 2, RETRY_MS.last);
      }
    }
    this.#refreshing = false;
  }

  async #one(id: string): Promise<void> {
    try {
      const vm = await this.#client.vms.get(id, { signal: this.#soon() });
      this.#store.update((state) => applyVm(state, id, vm));
    } catch (thrown) {
      if (!(thrown instanceof HypeError) || thrown.code !== "vm_not_found") throw thrown;
      this.#store.update((state) => applyVm(state, id, null));
    }
  }

  async #all(): Promise<Vm[]> {
    const vms: Vm[] = [];
    for (let total = 1; vms.length < total;) {
      const query = { limit: String(PAGE), offset: String(vms.length) };
      const page = await this.#client.vms.list(query, { signal: this.#soon() });
      total = page.items.length === 0 ? 0 : page.total;
      vms.push(...page.items);
    }
    return vms;
  }

  async #sample(): Promise<void> {
    const { signal } = this.#stop;
    for (; !this.#over; await pause(this.#sampleMs, signal))
      if (this.#store.state.connection.status === "online") await this.#sampleOnce();
  }

  async #sampleOnce(): Promise<void> {
    const signal = this.#soon(ALIVE_MS);
    try {
      const [activity, node] = await Promise.all([
        this.#client.system.activity({ signal }),
        this.#client.system.status({ signal }),
      ]);
      this.#store.update((state) => {
        noteActivity(state.usage, activity);
        state.node = node;
      });
    } catch {
      // All else that is wrong with the connection the stream of events tells.
      if (this.#over || !signal.aborted) return;
      const silent = new HypeError(
        "server_unreachable",
        `${this.#client.base} has not answered for ${ALIVE_MS / 1000} s`,
      );
      this.#enter("offline", silent);
      this.#again.abort();
    }
  }
}
