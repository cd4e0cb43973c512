/** Scalars of YAML 1.2 as plain as they may stand; in double quotes where they would mean something else. */

const INDICATOR = /^[-?:,[\]{}#&*!|>'"%@`=~]/;
const OTHER_TYPE =
  /^(?:true|false|null|yes|no|on|off|[-+]?[\d.][\d.,_eE+-]*|0x[\da-f]+|\d{4}-\d\d.*|\d+(?::\d+)+|\.nan|[-+]?\.inf|<<)$/i;
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

const isPlain = (text: string): boolean =>
  text !== "" &&
  text === text.trim() &&
  !INDICATOR.test(text) &&
  !/: |:$| #|[[\]{}]/.test(text) &&
  !OTHER_TYPE.test(text) &&
  !UNPRINTABLE.test(text);

export const value = (text: string): string => (isPlain(text) ? text : escaped(text));

const escaped = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** A key holds a name in double quotes and marks in brackets: only what ends a key early makes it need quotes. */
export const quotedKey = (key: string): string =>
  /: | #|:$/.test(key) || UNPRINTABLE.test(key)
    ? `'${key.replace(new RegExp(UNPRINTABLE, "g"), " ").replaceAll("'", "''")}'`
    : key;
