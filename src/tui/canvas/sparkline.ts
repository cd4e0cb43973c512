const BARS = " ▁▂▃▄▅▆▇█";

/** The last values as bars, newest at the right; `most` is a full bar. Missing ones are blank. */
export function sparkline(values: readonly number[], width: number, most: number): string {
  const shown = values.slice(-width);
  const bars = shown.map((value) => {
    const share = most > 0 ? Math.min(1, Math.max(0, value / most)) : 0;
    return BARS[value > 0 ? Math.max(1, Math.round(share * 8)) : 1] ?? " ";
  });
  return bars.join("").padStart(width);
}
