/** Ctrl-C and SIGTERM as an AbortSignal, for commands that must tidy up before they end. */
export type Interrupts = Disposable & { readonly signal: AbortSignal };

/** Exit code of a program ended by SIGINT (128 + 2), as shells report it. */
export const INTERRUPTED = 130;

/** The first signal aborts; the second leaves at once. Until this is called, and after it is disposed of, signals end the process. */
export function catchInterrupts(): Interrupts {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
