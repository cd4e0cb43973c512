/** Words of strangers (titles, addresses, names of files) are data: one line, bounded, no control characters. */
export function line(text: string, most = 300): string {
  // oxlint-disable-next-line no-control-regex
  const flat = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return flat.length > most ? `${flat.slice(0, most)}…` : flat;
}

/** A fence that the text cannot close: one backtick more than the longest run in it. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Long texts are cut, and it is said. @param how what to do to see more */
export function cut(text: string, most: number, how: string): string {
  return text.length <= most ? text : `${text.slice(0, most)}\n… ${text.length - most} more characters: ${how}`;
}

export const section = (title: string, body: string): string => `### ${title}\n${body}`;
export const listed = (items: readonly string[]): string => items.map((item) => `- ${item}`).join("\n");
export const joined = (...parts: (string | null | undefined | false)[]): string => parts.filter(Boolean).join("\n\n");

/** Where the caller is. Every result of a page begins with it. */
export const pageHead = ({ tab, url, title }: { tab: string; url: string; title: string }): string =>
  section("Page", listed([`URL: ${line(url, 2_000)}`, `Title: ${line(title)}`, `Tab: ${tab}`]));
