/** What stands for more than itself; any other number is a UTF-16 code unit. */
const ONE = -1;
const RUN = -2;
const RUN_WITHIN_PART = -3;

const SLASH = 0x2f;

/**
 * A pattern held against addresses that a page chooses: it takes at most length of the pattern x length of the address steps,
 * where a regular expression with a few stars would take the address's length to the power of their number.
 */
export class Glob {
  readonly #tokens: number[];
  /** Where in the pattern the text read so far may stand; a place stands in a list once. */
  #now: number[] = [];
  #next: number[] = [];

  private constructor(tokens: number[]) {
    // Runs that touch are one.
    this.#tokens = tokens.filter((token, at) => token !== RUN || tokens[at - 1] !== RUN);
  }

  /** As Fetch.RequestPattern has it: `*` any characters, `?` one, a backslash takes the next literally. */
  static ofRequests(pattern: string): Glob {
    return new Glob(
      (pattern.match(/\\?[^]/g) ?? []).map((part) =>
        part === "*" ? RUN : part === "?" ? ONE : part.charCodeAt(part.length - 1),
      ),
    );
  }

  /** As Playwright's users know it: `*` within a part, `**` across parts, `?` one character. */
  static ofAddresses(pattern: string): Glob {
    return new Glob(
      (pattern.match(/\*\*|[^]/g) ?? []).map((part) =>
        part === "**" ? RUN : part === "*" ? RUN_WITHIN_PART : part === "?" ? ONE : part.charCodeAt(0),
      ),
    );
  }

  /** The literal texts between the runs, of a pattern that has no other signs. */
  get literals(): string[] {
    const literals = [""];
    for (const token of this.#tokens)
      if (token === RUN) literals.push("");
      else literals.push(literals.pop()! + String.fromCharCode(token));
    return literals;
  }

  /** Whether the whole text is as the pattern says. */
  matches(text: string): boolean {
    this.#now.length = 0;
    this.#enter(this.#now, 0);
    for (let at = 0; at < text.length && this.#now.length > 0; at += 1) {
      const unit = text.charCodeAt(at);
      this.#next.length = 0;
      for (const place of this.#now) {
        const token = this.#tokens[place];
        if (token === RUN || (token === RUN_WITHIN_PART && unit !== SLASH)) this.#enter(this.#next, place);
        else if (token === unit || token === ONE) this.#enter(this.#next, place + 1);
      }
      [this.#now, this.#next] = [this.#next, this.#now];
    }
    return this.#now.at(-1) === this.#tokens.length;
  }

  /** A run may be empty: what comes after it is entered with it. Places are entered in rising order, so the last tells. */
  #enter(list: number[], place: number): void {
    for (let at = place; ; at += 1) {
      if (list.length === 0 || list.at(-1)! < at) list.push(at);
      const token = this.#tokens[at];
      if (token !== RUN && token !== RUN_WITHIN_PART) return;
    }
  }
}
