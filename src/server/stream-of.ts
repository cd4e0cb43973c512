/**
 * Bytes as a reply's body, asked for as they are read. The first of them are there already: what cannot even begin is thrown here.
 * @param gone ends it, also where nobody reads; what it comes from is let go of then
 */
export async function streamOf(
  bytes: AsyncIterable<Uint8Array>,
  gone: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  let ahead: Promise<IteratorResult<Uint8Array>> | null = Promise.resolve(await iterator.next());
  const end = () => {
    gone.removeEventListener("abort", end);
    void iterator.return?.()?.catch(() => {}); // nobody is there to be told
  };
  gone.addEventListener("abort", end, { once: true });
  if (gone.aborted) end();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (gone.aborted) throw gone.reason;
        const { value, done } = await (ahead ?? iterator.next());
        ahead = null;
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
