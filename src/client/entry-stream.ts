import type { Entry } from "../contract/observe.ts";
import { HypeError, isErrorCode } from "../contract/errors.ts";
import { messagesOf } from "./messages.ts";
import { textOf, type Transport } from "./transport.ts";
import type { EntryQuery } from "./types.ts";

/**
 * What a VM's browser does, as it is recorded; ends when the signal aborts.
 * @throws HypeError what the stream's last event says: vm_not_running, reader_too_slow, shutting_down …
 */
export async function* entryStream(
  send: Transport,
  base: string,
  name: string,
  { kinds, tab, after, signal }: EntryQuery,
): AsyncGenerator<Entry> {
  const query = new URLSearchParams({
    ...(kinds && { kinds: kinds.join(",") }),
    ...(tab !== undefined && { tab }),
    ...(after !== undefined && { after: String(after) }),
  });
  try {
    const response = await send(`/api/v1/vms/${encodeURIComponent(name)}/browser/entries?${query}`, {
      headers: { accept: "text/event-stream" },
      ...(signal && { signal }),
    });
    for await (const { event, data } of messagesOf(textOf(response, base, signal))) {
      if (event === "error") throw lastWords(data);
      if (data !== "") yield JSON.parse(data) as Entry;
    }
  } catch (thrown) {
    if (!signal?.aborted) throw thrown;
  }
}

function lastWords(data: string): HypeError {
  const { code, detail } = JSON.parse(data) as { code: string; detail: string };
  return new HypeError(isErrorCode(code) ? code : "internal", detail);
}
