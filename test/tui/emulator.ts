/* eslint-disable no-control-regex -- they are what this file is about */
/** What a terminal shows of the bytes it was given: as much of one as OpenTUI writes (absolute moves, text, clearing). */
export class Emulator {
  readonly #cells: string[][];
  #row = 0;
  #column = 0;
  #rest = "";

  constructor(columns: number, rows: number) {
    this.#cells = Array.from({ length: rows }, () => Array<string>(columns).fill(" "));
  }

  write(text: string): void {
    let given = this.#rest + text;
    this.#rest = "";
    while (given !== "") {
      const [all, csi, final, plain] =
        /^(?:\u001b\[([\d;?<>=!$ "']*)([@-~])|\u001b[\]_P^][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[^[\]_P^]|([^\u001b]+))/.exec(
          given,
        ) ?? [];
      if (all === undefined) {
        this.#rest = given; // the end of a sequence is still to come
        return;
      }
      given = given.slice(all.length);
      if (plain !== undefined) this.#print(plain);
      else if (final !== undefined) this.#control(csi ?? "", final);
    }
  }

  /** The screen, lines without their trailing spaces. */
  text(): string {
    return this.#cells.map((cells) => cells.join("").trimEnd()).join("\n");
  }

  #control(parameters: string, final: string): void {
    const [first = 1, second = 1] = parameters.split(";").map((number) => Number(number) || 1);
    if (final === "H") [this.#row, this.#column] = [first - 1, second - 1];
    if ((final === "J" && parameters === "2") || (parameters.startsWith("?1049") && /[hl]/.test(final)))
      for (const cells of this.#cells) cells.fill(" ");
  }

  #print(text: string): void {
    for (const character of text) {
      if (character === "\n") this.#row = Math.min(this.#row + 1, this.#cells.length - 1);
      else if (character === "\r") this.#column = 0;
      else {
        const width = Bun.stringWidth(character);
        const cells = this.#cells[this.#row];
        if (!cells || width === 0) continue;
        cells[this.#column] = character;
        if (width === 2) cells[this.#column + 1] = "";
        this.#column += width;
      }
    }
  }
}
