/**
 * Makes text that a page or a guest wrote safe to show: terminals act on C0 and C1 control characters (ECMA-48), and the
 * bidirectional marks of Unicode (UAX #9) make a line read other than it is.
 */
const CONTROL = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** ESC becomes ␛ (Unicode's pictures of control characters), everything without a picture its number: `<9B>`. */
function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : `<${code.toString(16).toUpperCase()}>`;
}

/** Keeps line feeds and tabs; a carriage return before a line feed goes, since serial consoles end lines so. */
export const sanitizeText = (text: string): string => text.replace(/\r+\n/g, "\n").replace(CONTROL, visible);

/** For one cell or one line: line breaks and tabs become visible too. */
export const sanitizeLine = (text: string): string =>
  sanitizeText(text).replace(/[\n\t]/g, (character) => (character === "\n" ? "␊" : " "));

/** One line of JSON that is both valid and harmless on a terminal: JSON itself escapes C0 only. */
export const safeJson = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? "null").replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
