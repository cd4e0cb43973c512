/** Longest line kept, characters; a guest may write one without end. */
const MOST_CHARACTERS = 4_096;
const MOST_LINES = 5_000;

/** The last lines of a text that keeps coming in pieces. */
export class Lines {
  readonly lines: string[] = [];
  #open = "";

  /** @returns how many lines at the beginning had to go for it */
  push(piece: string): number {
    const parts = (this.#open + piece).split("\n");
    this.#open = (parts.pop() ?? "").slice(0, MOST_CHARACTERS);
    for (const part of parts) this.lines.push(part.replace(/\r+$/, "").slice(0, MOST_CHARACTERS));
    return this.lines.splice(0, Math.max(0, this.lines.length - MOST_LINES)).length;
  }

  /** What is there, the line that is not ended yet included. */
  all(): readonly string[] {
    return this.#open === "" ? this.lines : [...this.lines, this.#open];
  }
}
