import type { VmEvent } from "../contract/index.ts";
import type { AguiCaller } from "./services.ts";
import { SharedState } from "./shared-state.ts";

/**
 * The state as it is now and every event from then on: the events are asked for first, so that nothing falls between.
 * @param only name of the one VM that is watched; null: all
 */
export function openState({ house, pages }: AguiCaller, only: string | null, signal: AbortSignal) {
  const events = house.events(signal)[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<VmEvent>> | null = events.next();
  next.catch(() => {}); // thrown again to who reads it
  const state = new SharedState(house, pages, only);
  return {
    state,
    /** One reader only. Ends with the signal. @throws HypeError reader_too_slow */
    async *events(): AsyncGenerator<VmEvent> {
      for (;;) {
        const { done, value } = await (next as Promise<IteratorResult<VmEvent>>);
        if (done || signal.aborted) return;
        yield value;
        next = events.next();
      }
    },
  };
}
