import type { LiveMessage } from "../contract/index.ts";
import { brief, element } from "./element.ts";

export type TabsMessage = Extract<LiveMessage, { type: "tabs" }>;
/** More are not drawn: a page can open thousands. */
const SHOWN = 60;

const list = element("tabs");
const button = (name: string, label: string, words: string, onClick: () => void) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = words;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", onClick);
  return made;
};

/** Draws the tabs anew; the focus stays on the tab that had it. */
export function showTabs(
  { items, watched }: TabsMessage,
  mayClose: boolean,
  { choose, close }: { choose(id: string): void; close(id: string): void },
): void {
  const focused = document.activeElement?.closest("li")?.dataset;
  const part = document.activeElement?.className;
  const rows = items.slice(0, SHOWN).map(({ id, title, url }) => {
    const row = document.createElement("li");
    row.dataset.tab = id;
    const words = brief(title || url || "New tab", 120);
    const name = button("name", `Tab: ${words}`, words, () => choose(id));
    name.title = brief(`${title}\n${url}`, 500);
    if (id === watched) {
      row.className = "watched";
      name.setAttribute("aria-current", "true");
    }
    const shut = button("close", `Close ${words}`, "×", () => close(id));
    shut.disabled = !mayClose;
    row.append(name, shut);
    return row;
  });
  const before = list.querySelector<HTMLElement>(".watched")?.dataset.tab;
  list.replaceChildren(...rows);
  const again = rows.find((row) => focused?.tab !== undefined && row.dataset.tab === focused.tab);
  again?.querySelector<HTMLElement>(`.${part === "close" ? "close" : "name"}`)?.focus();
  if (watched !== before) list.querySelector(".watched")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}
