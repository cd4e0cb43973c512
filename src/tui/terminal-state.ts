import { writeSync } from "node:fs";

/** Reply to DECRQM for grapheme clusters (mode 2027): 2 says that it is known and off (DEC STD 070; contour's terminal-unicode-core). */
// eslint-disable-next-line no-control-regex
const CLUSTERS_WERE_OFF = /\u001b\[\?2027;2\$y/;
/** Window title on and off the terminal's stack (xterm's window operations, 22 and 23). */
const TITLE = { push: "\u001b[22;2t", pop: "\u001b[23;2t" };

/** What of a terminal OpenTUI changes and does not give back: the window's title, which it empties, and how it counts cells. */
export class TerminalState {
  #clustersWereOff = false;

  /** OpenTUI asks before it changes; the answer passes here. @returns false: it is not taken away from anybody */
  readonly listen = (sequence: string): boolean => {
    if (CLUSTERS_WERE_OFF.test(sequence)) this.#clustersWereOff = true;
    return false;
  };

  save(): void {
    tell(TITLE.push);
  }

  /** After OpenTUI gave the terminal back. */
  restore(): void {
    tell(`${this.#clustersWereOff ? "\u001b[?2027l" : ""}${TITLE.pop}`);
  }
}

function tell(sequence: string): void {
  try {
    writeSync(1, sequence);
  } catch {
    // the terminal is gone: there is nothing to give back
  }
}
