/** Longest line kept, characters; a guest may write one without end. */
const MOST_CHARACTERS = 4_096;
const MOST_LINES = 5_000;

/** What was looked for, and the numbers of the lines that hold it: numbers count from the first line that ever was. */
type Found = { wanted: string; until: number; numbers: number[] };

/** The last lines of a text that keeps coming in pieces. */
export class Lines {
  readonly lines: string[] = [];
  #open = "";
  #dropped = 0;
  #found: Found = { wanted: "", until: 0, numbers: [] };

  /** @returns how many lines at the beginning had to go for it */
  push(piece: string): number {
    const parts = (this.#open + piece).split("\n");
    this.#open = cut(parts.pop() ?? "");
    for (const part of parts) this.lines.push(cut(part.replace(/\r+$/, "")));
    const dropped = this.lines.splice(0, Math.max(0, this.lines.length - MOST_LINES)).length;
    this.#dropped += dropped;
    return dropped;
  }

  /** What is there, the line that is not ended yet included. */
  all(): readonly string[] {
    return this.#open === "" ? this.lines : [...this.lines, this.#open];
  }

  /**
   * Places in {@link Lines.all} of the lines that hold the text, capitals or not; "" is held by none. Asked for the same again, only what came
   * since is looked at.
   */
  holding(text: string): readonly number[] {
    const wanted = text.toLowerCase();
    if (wanted === "") return [];
    if (this.#found.wanted !== wanted) this.#found = { wanted, until: this.#dropped, numbers: [] };
    const found = this.#found;
    const gone = found.numbers.findIndex((number) => number >= this.#dropped);
    found.numbers.splice(0, gone < 0 ? found.numbers.length : gone);
    const end = this.#dropped + this.lines.length;
    for (let number = Math.max(found.until, this.#dropped); number < end; number++)
      if (this.lines[number - this.#dropped]!.toLowerCase().includes(wanted)) found.numbers.push(number);
    found.until = end;
    const places = found.numbers.map((number) => number - this.#dropped);
    if (this.#open.toLowerCase().includes(wanted)) places.push(this.lines.length);
    return places;
  }
}

/** A line that was longer says so at its end. */
const cut = (line: string): string => (line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line);
