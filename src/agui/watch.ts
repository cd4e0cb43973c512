import type { VmEvent } from "../contract/index.ts";
import type { RunSink } from "./run-stream.ts";
import type { Run } from "./services.ts";

/** Pages change without an event; who watches sees them this much later at most, ms. */
const PAGES_MS = 1_000;

/**
 * A run that stays open: every event as it happens, and what it changed. It goes at its reader's pace, and ends with the run's signal.
 * @throws HypeError reader_too_slow
 */
export async function watch(run: Run, events: AsyncIterable<VmEvent>, vm: string | null, sink: RunSink): Promise<void> {
  const { state, writer, signal } = run;
  const pages = setInterval(() => writer.stateDelta(state.lookAtPages()), PAGES_MS);
  signal.addEventListener("abort", () => clearInterval(pages), { once: true });
  try {
    for await (const event of events) {
      if (vm !== null && event.vm_name !== vm) continue;
      writer.stateDelta(state.note(event));
      writer.custom(nameOf(event), event);
      await sink.drained();
    }
  } finally {
    clearInterval(pages);
  }
}

/** VM_BROWSER_DIED is told as `vm.browser_died`. */
const nameOf = ({ type }: VmEvent): string => type.toLowerCase().replace("_", ".");
