/** Quantile by linear interpolation between order statistics (Hyndman & Fan, type 7). */
export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const low = Math.floor(position);
  const [a = Number.NaN, b = a] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]];
  return a + (b - a) * (position - low);
}

export const median = (values: number[]): number => quantile(values, 0.5);

/** Median with the middle half: `7.9 [7.8-8.1]`. */
export function spread(values: number[], digits = 1): string {
  const text = (value: number) => value.toFixed(digits);
  return values.length === 1
    ? text(values[0] ?? Number.NaN)
    : `${text(median(values))} [${text(quantile(values, 0.25))}-${text(quantile(values, 0.75))}]`;
}
