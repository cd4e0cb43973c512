import { type Artifact, HypeError, messageOf, type Vm } from "../../contract/index.ts";
import type { Guest } from "../../guest/guest.ts";
import type { Log } from "../../log/log.ts";
import type { Store } from "../../store/store.ts";
import type { ServerContext } from "../context.ts";

/** After these a VM's guest can be asked. */
const USABLE = new Set(["VM_RUNNING", "VM_RESUMED", "VM_ADOPTED"]);
/** Between two tries to hear a guest that runs and is not heard, ms. */
const RETRY_MS = { first: 500, last: 30_000 };
/** A hostile guest could tell of files without end. */
const MOST_PER_VM = 10_000;
const PAGE_ROWS = 1000;

/** Files that come to be in a guest by themselves. */
export type Files = {
  kind: "download" | "recording";
  /** Of those that are whole, then of each that becomes it, until the signal aborts. @throws HypeError guest_unreachable */
  ids(guest: Guest, signal: AbortSignal): AsyncIterable<string>;
  /** Keeps one, and notes in the store that it was. */
  keep(parts: Pick<Parts, "engine" | "artifacts">, vm: Vm, id: string, signal: AbortSignal): Promise<Artifact>;
};
type Parts = Pick<ServerContext, "engine" | "artifacts" | "closing"> & { store: Store; log: Log };

/**
 * Keeps files of VMs whose policy says so, as each becomes whole. It listens to their agents; which ones were kept stands in the
 * store, so a new server or connection keeps none twice and none is missed that the guest still holds.
 */
export class Keeper implements AsyncDisposable {
  readonly #files: Files;
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #watched = new Map<string, Promise<void>>();
  readonly #following: Promise<void>;

  constructor(files: Files, parts: Parts) {
    this.#files = files;
    this.#parts = parts;
    this.#signal = AbortSignal.any([this.#stop.signal, parts.closing]);
    this.#following = this.#follow();
  }

  /** Resolves when nothing is being kept any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await Promise.all(this.#watched.values());
  }

  async #follow(): Promise<void> {
    const { engine, log } = this.#parts;
    while (!this.#signal.aborted) {
      const events = engine.subscribe(null, this.#signal); // before the look: what starts meanwhile is told of
      for (const vm of this.#running()) this.#watch(vm);
      try {
        for await (const { type, vm_id } of events) if (USABLE.has(type)) this.#watch(this.#find(vm_id));
      } catch (thrown) {
        log.warn(`looking anew for VMs whose ${this.#files.kind}s are kept: ${messageOf(thrown)}`);
      }
    }
  }

  *#running(): Generator<Vm> {
    for (let offset = 0; ; offset += PAGE_ROWS) {
      const { items, total } = this.#parts.engine.list({
        status: "running",
        limit: String(PAGE_ROWS),
        offset: String(offset),
      });
      yield* items;
      if (items.length === 0 || offset + items.length >= total) return;
    }
  }

  #find(id: string): Vm | null {
    try {
      return this.#parts.engine.get(id);
    } catch {
      return null; // it was deleted
    }
  }

  #watch(vm: Vm | null): void {
    if (!vm?.keep.includes(this.#files.kind) || this.#watched.has(vm.id)) return;
    const watch = this.#listen(vm).then(() => {
      this.#watched.delete(vm.id);
      const now = this.#signal.aborted ? null : this.#find(vm.id);
      if (now?.status === "running" && now.generation !== vm.generation) this.#watch(now); // it was quicker
    });
    this.#watched.set(vm.id, watch);
  }

  /** Until the VM's guest cannot be asked any more; the next event of it begins anew. */
  async #listen(vm: Vm): Promise<void> {
    const { engine, log } = this.#parts;
    let retryMs = RETRY_MS.first;
    while (!this.#signal.aborted) {
      try {
        const guest = engine.guest(vm.id);
        const signal = AbortSignal.any([this.#signal, engine.whenGone(vm.id).signal]);
        for await (const id of this.#files.ids(guest, signal)) {
          retryMs = RETRY_MS.first;
          await this.#keep(vm, id, signal);
        }
        if (signal.aborted) return;
      } catch (thrown) {
        if (!(thrown instanceof HypeError) || thrown.code !== "guest_unreachable") {
          const isExpected = thrown instanceof HypeError && ["vm_not_running", "vm_not_found"].includes(thrown.code);
          log[isExpected ? "debug" : "error"](
            `${vm.name}: its ${this.#files.kind}s are kept no longer: ${messageOf(thrown)}`,
          );
          return;
        }
        log.debug(`${vm.name}: its ${this.#files.kind}s are not heard of: ${thrown.message}`);
      }
      await pauseFor(retryMs, this.#signal);
      retryMs = Math.min(2 * retryMs, RETRY_MS.last);
    }
  }

  /** One that cannot be kept is told in the log; the next connection tries it again. */
  async #keep(vm: Vm, id: string, signal: AbortSignal): Promise<void> {
    const { store, log } = this.#parts;
    const { kind } = this.#files;
    const isKept = () => store.artifacts.keptAs(vm.id, kind, id) !== null;
    if (isKept()) return;
    if (store.artifacts.keptCount(vm.id, kind) >= MOST_PER_VM)
      return log.warn(`${vm.name}: a ${kind} is not kept: there were ${MOST_PER_VM} already`, { vm: vm.id });
    try {
      const { id: artifact, size_bytes: bytes } = await this.#files.keep(this.#parts, vm, id, signal);
      log.info(`${vm.name}: a ${kind} is kept`, { vm: vm.id, artifact, bytes });
    } catch (thrown) {
      if (signal.aborted || isKept()) return; // by somebody else meanwhile
      const code = thrown instanceof HypeError ? thrown.code : "internal";
      log[code === "internal" ? "error" : "warn"](`${vm.name}: a ${kind} is not kept: ${messageOf(thrown)}`, {
        vm: vm.id,
        code,
        ...(code === "internal" ? { error: thrown } : {}),
      });
    }
  }
}

/** Waits, or less when the signal fires. */
function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  timer.unref();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  });
}
