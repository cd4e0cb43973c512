/** An element with its class and text. Whatever servers and pages say goes in as text only. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  text = "",
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** One of the page's own elements, which is there. */
export const byId = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
