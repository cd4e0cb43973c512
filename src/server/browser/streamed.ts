import type { DownloadBytes } from "../../guest/downloads.ts";
import type { ServerContext } from "../context.ts";
import { type Use, useBrowser } from "./while-usable.ts";

/**
 * Opens bytes in a VM's browser and gives them on as they are read. They end with the reader, with whatever `callers` tell of, and with
 * the VM: then the stream breaks off.
 * @throws HypeError vm_not_found | vm_not_running, and whatever `open` throws
 */
export async function streamed<T extends { read: DownloadBytes }>(
  context: Pick<ServerContext, "engine" | "closing">,
  ref: string,
  callers: AbortSignal[],
  open: (use: Use) => Promise<T>,
): Promise<T & { stream: ReadableStream<Uint8Array> }> {
  const stop = new AbortController();
  const use = useBrowser(context, ref, stop.signal, ...callers);
  try {
    const opened = await open(use);
    return { ...opened, stream: pulled(opened.read, use, () => stop.abort()) };
  } catch (thrown) {
    const why = use.why(thrown);
    stop.abort();
    use[Symbol.dispose]();
    throw why;
  }
}

/** Pulled, so that a slow reader makes the guest wait and no memory is used. */
function pulled({ bytes }: DownloadBytes, use: Use, stop: () => void): ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next();
          if (!next.done) return controller.enqueue(next.value);
          use[Symbol.dispose]();
          controller.close();
        } catch (thrown) {
          use[Symbol.dispose]();
          throw use.why(thrown);
        }
      },
      async cancel() {
        stop();
        use[Symbol.dispose]();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
