/** The beginning of a text, with a mark where something was cut off. data: URLs can be megabytes. @param length in characters */
export const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
