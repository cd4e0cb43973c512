import type { Tab } from "../../../contract/index.ts";
import { cutTop, inset } from "../../canvas/area.ts";
import { drawTable } from "../../canvas/table.ts";
import type { Click } from "../view.ts";
import { drawPage, LEAST_PAGE_ROWS } from "./picture.ts";
import { drawScrollbar, topOf } from "./scroll.ts";
import type { PaneView } from "./vm.ts";

/** Tabs of the browser, and under them the picture of the one in use. */
export const tabs: PaneView = (input) => {
  const { canvas, area, vm, detail } = input;
  const items = detail.tabs ?? [];
  if (items.length === 0) {
    const text = detail.problem ?? (vm.status === "running" ? "asking …" : `${vm.name} is ${vm.status}`);
    return void canvas.text(inset(area, 2, 1), text, { ink: "muted" });
  }
  const [list, rest] = cutTop(area, Math.min(items.length + 1, Math.max(4, Math.floor(area.height / 3))));
  const rows = cutTop(list, 1)[1];
  const top = topOf(detail, items.length, rows.height);
  drawTable<Tab, Click>(canvas, inset(list, 0, 0, 1), {
    columns: [
      { id: "active", title: "", width: 1, rank: 0, cell: (tab) => (tab.active ? ["▸", { ink: "accent" }] : "") },
      { id: "title", title: "TITLE", width: 20, grow: 2, rank: 0, cell: (tab) => tab.title || "(no title)" },
      { id: "url", title: "URL", width: 20, grow: 3, rank: 1, cell: (tab) => [tab.url, { ink: "muted" }] },
      { id: "own", title: "COOKIES", width: 7, rank: 2, cell: (tab) => (tab.isolated ? "own" : "") },
    ],
    rows: items,
    cursor: -1,
    top,
  });
  drawScrollbar(canvas, rows, top, items.length);
  if (rest.height >= LEAST_PAGE_ROWS) drawPage({ ...input, area: inset(rest, 1, 0) });
};

/** The picture alone. */
export const pageOnly: PaneView = (input) => drawPage(input);
