import type { DownloadBytes } from "../../guest/downloads.ts";
import type { ServerContext } from "../context.ts";
import { pulled } from "../stream-of.ts";
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
    const over = () => {
      stop.abort();
      use[Symbol.dispose]();
    };
    return { ...opened, stream: pulled(opened.read.bytes[Symbol.asyncIterator](), { over, why: use.why }) };
  } catch (thrown) {
    const why = use.why(thrown);
    stop.abort();
    use[Symbol.dispose]();
    throw why;
  }
}
