/** A serial console is slow and shared: so many lines a window, the rest is counted. */
const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 40;

/** @returns a sink for whole lines that drops what goes over the limit and says how many it dropped. */
export function rateLimited(write: (line: string) => void, now: () => number = Date.now): (line: string) => void {
  let windowStart = Number.NEGATIVE_INFINITY;
  let written = 0;
  let dropped = 0;
  return (line) => {
    if (now() - windowStart >= WINDOW_MS) {
      if (dropped > 0) write(`hype-agent: ${dropped} log lines left out here, see the agent's log\n`);
      windowStart = now();
      written = 0;
      dropped = 0;
    }
    if (written < LINES_PER_WINDOW) {
      written += 1;
      write(line);
    } else dropped += 1;
  };
}
