import { closeSync, read } from "node:fs";
import { HypeError } from "../contract/index.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * Bytes `from` up to and with `to` of an open file, read as they are asked for; the file is closed when it is over.
 * @param gone closes the file when it fires: a reader that never asks would hold it open.
 */
export function streamFile(file: number, from: number, to: number, gone: AbortSignal): ReadableStream<Uint8Array> {
  let at = from;
  let isReading = false;
  let isOver = false;
  let isClosed = false;
  // Never while a read is under way: by then the number may be another file's.
  const end = () => {
    isOver = true;
    if (isClosed || isReading) return;
    isClosed = true;
    closeSync(file);
    gone.removeEventListener("abort", end);
  };
  const next = (): Promise<Uint8Array> => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to + 1 - at));
    isReading = true;
    read(file, buffer, 0, buffer.length, at, (fault, count) => {
      isReading = false;
      if (isOver) end();
      if (fault) reject(fault);
      else resolve(buffer.subarray(0, count));
    });
    return promise;
  };
  gone.addEventListener("abort", end, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (gone.aborted || at > to) end();
        if (at > to) controller.close();
      },
      async pull(controller) {
        if (isOver) return controller.error(gone.reason);
        const bytes = await next().catch((fault: unknown) => {
          end();
          throw fault;
        });
        if (bytes.length === 0) {
          end();
          throw new HypeError("artifact_damaged", "the file of the artifact was cut short while it was read");
        }
        at += bytes.length;
        controller.enqueue(bytes);
        if (at <= to) return;
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
