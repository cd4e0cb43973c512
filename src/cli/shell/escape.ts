/** ctrl-] as a terminal sends it, and as it does once a program in it asked for kitty's keyboard protocol. */
const KEY = 0x1d;
const KITTY = "\u001b[93;5u";

export const ESCAPE_KEY = "ctrl-]";

/** Finds the key that leaves in what is typed. It is the user's alone: the guest never sees it, and cannot switch it off. */
export class EscapeWatch {
  /** @returns what was typed before it */
  read(bytes: Buffer): { before: Buffer; isPressed: boolean } {
    const places = [bytes.indexOf(KEY), bytes.indexOf(KITTY)].filter((at) => at >= 0);
    if (places.length === 0) return { before: bytes, isPressed: false };
    return { before: bytes.subarray(0, Math.min(...places)), isPressed: true };
  }
}
