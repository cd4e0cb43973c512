/** The commands of hype as the palette uses them; handed in by whoever starts the interface, for it does not know the CLI. */
export type Commands = {
  /** What may stand where the last word of the line is being typed. */
  complete(line: string): readonly Completion[];
  /** Runs one line. Never throws; what goes wrong is written like everything else. @returns exit code */
  run(line: string, write: (text: string) => void, signal: AbortSignal): Promise<number>;
};

export type Completion = { word: string; description: string };

/** A line as a shell would split it: spaces separate, quotes and backslashes keep together. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === "\\" && quote !== "'" && at + 1 < line.length) word = (word ?? "") + line[++at];
    else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (character === " ") {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + character;
  }
  if (word !== null) words.push(word);
  return words;
}

const MOST_LINES = 200;

/** Options and headers that take a secret, our keys, and addresses with a password or a token in them. */
const SECRET =
  /--([a-z-]*key|password|token|secret|http-credentials)\b|\b(authorization|cookie):|hype_[A-Za-z0-9_-]{20,}|:\/\/[^\s/@]+@|\s[^\s/:@]+:[^\s/@]+@|[?&](token|key)=/i;

/** The history with one more line in it: no doubles in a row, none with a secret in it. */
export function remembered(history: readonly string[], line: string): string[] {
  if (SECRET.test(line) || history.at(-1) === line) return [...history];
  return [...history, line].slice(-MOST_LINES);
}
