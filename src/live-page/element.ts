/** The element of the page with this id, which page.html holds. */
export function element<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const found = document.getElementById(id);
  if (!found) throw new Error(`page.html has no #${id}`);
  return found as Type;
}

/** What a guest says is shown as text, on one line, and never in full length. */
export const brief = (text: string, characters: number): string =>
  text.length > characters ? `${text.slice(0, characters)}…` : text;
