/** Failed keys an address may send within one window before it is told to wait. */
export const FAILURES_PER_WINDOW = 10;
const WINDOW_MS = 60_000;
/** Addresses remembered at once; the oldest are forgotten first, so that a flood of addresses costs no memory. */
const ADDRESSES = 10_000;

/**
 * Counts failed keys per address. It is asked only *after* a key was found wrong: a valid key is never slowed by what others send.
 * @param now milliseconds, for tests.
 */
export function failureCounter(now: () => number = () => performance.now()) {
  const windows = new Map<string, { count: number; endsAt: number }>();
  return {
    /** Notes one failure. @returns seconds to wait when the address has had its share, null while it may go on. */
    note(address: string): number | null {
      const at = now();
      let window = windows.get(address);
      if (!window || window.endsAt <= at) {
        window = { count: 0, endsAt: at + WINDOW_MS };
        windows.delete(address);
        windows.set(address, window);
        if (windows.size > ADDRESSES) windows.delete(windows.keys().next().value as string);
      }
      window.count++;
      return window.count > FAILURES_PER_WINDOW ? Math.ceil((window.endsAt - at) / 1000) : null;
    },
  };
}
