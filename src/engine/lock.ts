import type { HypeError } from "../contract/index.ts";
import { cancelReason } from "./context.ts";

/** Operations that may push others aside: a stop does not wait for a boot, a delete waits for nothing it can end. */
export type Preemptor = "stop" | "delete";

type Holder = { controller: AbortController; yieldsTo: readonly Preemptor[] };
type Queue = { tail: Promise<void>; holders: Set<Holder> };

/** One operation at a time per VM, in order of arrival; VMs do not wait for each other. */
export class VmLocks {
  readonly #queues = new Map<string, Queue>();

  /**
   * Waits for the VM's turn, then works. `work` gets a signal that fires on the caller's cancellation or a preemption.
   * @throws HypeError cancelled (or the preemptor's reason) when it fired before the turn came.
   */
  async run<T>(
    vmId: string,
    work: (signal: AbortSignal) => Promise<T>,
    options: { signal?: AbortSignal | undefined; yieldsTo?: readonly Preemptor[] } = {},
  ): Promise<T> {
    const queue = this.#queues.get(vmId) ?? { tail: Promise.resolve(), holders: new Set() };
    this.#queues.set(vmId, queue);
    const holder: Holder = { controller: new AbortController(), yieldsTo: options.yieldsTo ?? [] };
    queue.holders.add(holder);
    const turn = queue.tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.tail = promise;

    const signals = [holder.controller.signal, ...(options.signal ? [options.signal] : [])];
    const signal = AbortSignal.any(signals);
    await turn;
    try {
      if (signal.aborted) throw cancelReason(signal);
      return await work(signal);
    } finally {
      queue.holders.delete(holder);
      if (queue.holders.size === 0) this.#queues.delete(vmId);
      resolve();
    }
  }

  /** Cancels what runs or waits on the VM and yields to `by`. */
  preempt(vmId: string, by: Preemptor, reason: HypeError): void {
    for (const holder of this.#queues.get(vmId)?.holders ?? [])
      if (holder.yieldsTo.includes(by)) holder.controller.abort(reason);
  }

  /** Cancels everything that yields to anybody. */
  cancelAll(reason: HypeError): void {
    for (const queue of this.#queues.values())
      for (const holder of queue.holders) if (holder.yieldsTo.length > 0) holder.controller.abort(reason);
  }

  busy(vmId: string): boolean {
    return this.#queues.has(vmId);
  }

  /** Resolves when no operation runs or waits. */
  async idle(): Promise<void> {
    while (this.#queues.size > 0) await Promise.all([...this.#queues.values()].map((queue) => queue.tail));
  }
}
