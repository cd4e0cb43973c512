import type { ServerResponse } from "node:http";
import type { Entry } from "../../src/contract/index.ts";
import type { Filter, Journal } from "./journal.ts";

/** A reader that hears nothing for longer may take the wire for lost. */
const HEARTBEAT_MS = 10_000;
const BATCH = 200;

/**
 * Entries after `after`, then each as it comes, as server-sent events whose ids are their `seq`. A reader that is slower than the
 * page is served from the journal; when that has dropped what it did not yet get, be it while it was away, it is told so and the stream ends.
 */
export function streamEntries(
  journal: Journal,
  filter: Filter,
  after: number,
  response: ServerResponse,
  gone: AbortSignal,
): void {
  let position = after > journal.seq ? 0 : after; // of an agent before this one, whose entries are gone
  let isBehind = true;
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": observing\n\n");
  const isMeant = ({ kind, tab }: Entry) =>
    filter.kinds.includes(kind) && (filter.tab === undefined || filter.tab === tab);
  /** @returns whether there is room for more */
  const tell = (entry: Entry): boolean => {
    position = entry.seq;
    return response.write(`id: ${entry.seq}\ndata: ${JSON.stringify(entry)}\n\n`);
  };
  const catchUp = (): void => {
    while (!response.destroyed) {
      const { items, droppedTo } = journal.list(filter, position, BATCH);
      if (position > 0 && droppedTo > position) {
        const problem = { code: "reader_too_slow", message: `entries up to ${droppedTo} were dropped` };
        response.end(`event: error\ndata: ${JSON.stringify(problem)}\n\n`);
        return;
      }
      isBehind = items.length > 0;
      if (!isBehind) return;
      for (const entry of items) tell(entry);
      if (response.writableNeedDrain) return;
    }
  };
  const unsubscribe = journal.subscribe((entry) => {
    if (isBehind || !isMeant(entry)) return;
    isBehind = !tell(entry);
  });
  const heartbeat = setInterval(() => isBehind || response.write(": still here\n\n"), HEARTBEAT_MS);
  response.on("drain", catchUp);
  gone.addEventListener("abort", () => {
    unsubscribe();
    clearInterval(heartbeat);
  });
  catchUp();
}
