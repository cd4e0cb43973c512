/** Terminal colours (ECMA-48 SGR). Off, every function returns its text unchanged. */
export type Colours = Record<"bold" | "dim" | "red" | "green" | "yellow" | "blue", (text: string) => string>;

const sgr = (on: number, off: number, enabled: boolean) => (text: string) =>
  enabled && text !== "" ? `\x1b[${on}m${text}\x1b[${off}m` : text;

export const colours = (enabled: boolean): Colours => ({
  bold: sgr(1, 22, enabled),
  dim: sgr(2, 22, enabled),
  red: sgr(31, 39, enabled),
  green: sgr(32, 39, enabled),
  yellow: sgr(33, 39, enabled),
  blue: sgr(34, 39, enabled),
});
