/** How the bytes of a reply end. */
type Ends = {
  /** Called when they are over, however that came about; more than once is harmless. */
  over(): void;
  /** What to tell for what was thrown. */
  why?(thrown: unknown): unknown;
};

/** Pulled, so that a slow reader makes the source wait and no memory is used. */
export function pulled(
  iterator: AsyncIterator<Uint8Array>,
  { over, why = (thrown) => thrown }: Ends,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next();
          if (!next.done) return controller.enqueue(next.value);
          over();
          controller.close();
        } catch (thrown) {
          const told = why(thrown); // as long as nothing else ended it
          over();
          throw told;
        }
      },
      async cancel() {
        over();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Bytes as a reply's body. The first of them are there already: what cannot even begin is thrown here.
 * @param gone ends it, also where nobody reads; what it comes from is let go of then
 */
export async function streamOf(
  bytes: AsyncIterable<Uint8Array>,
  gone: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const source = bytes[Symbol.asyncIterator]();
  const first = await source.next();
  let isFirst = true;
  const iterator: AsyncIterator<Uint8Array> = {
    next() {
      gone.throwIfAborted();
      if (!isFirst) return source.next();
      isFirst = false;
      return Promise.resolve(first);
    },
  };
  const over = () => {
    gone.removeEventListener("abort", over);
    void source.return?.()?.catch(() => {}); // nobody is there to be told
  };
  gone.addEventListener("abort", over, { once: true });
  if (gone.aborted) over();
  return pulled(iterator, { over });
}
