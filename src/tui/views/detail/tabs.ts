import type { Tab } from "../../../contract/index.ts";
import { cutTop, inset } from "../../canvas/area.ts";
import { drawTable } from "../../canvas/table.ts";
import type { Click } from "../view.ts";
import { drawPage } from "./picture.ts";
import type { PaneView } from "./vm.ts";

/** Tabs of the browser, and under them the picture of the one in use. */
export const tabs: PaneView = ({ canvas, area, vm, detail }) => {
  const items = detail.tabs ?? [];
  if (items.length === 0)
    return void canvas.text(
      inset(area, 2, 1),
      detail.problem ?? (vm.status === "running" ? "asking …" : `${vm.name} is ${vm.status}`),
      {
        ink: "muted",
      },
    );
  const [list, rest] = cutTop(area, Math.min(items.length + 1, Math.max(4, Math.floor(area.height / 3))));
  drawTable<Tab, Click>(canvas, list, {
    columns: [
      { id: "active", title: "", width: 1, rank: 0, cell: (tab) => (tab.active ? ["▸", { ink: "accent" }] : "") },
      { id: "title", title: "TITLE", width: 20, grow: 2, rank: 0, cell: (tab) => tab.title || "(no title)" },
      { id: "url", title: "URL", width: 20, grow: 3, rank: 1, cell: (tab) => [tab.url, { ink: "muted" }] },
      { id: "own", title: "COOKIES", width: 7, rank: 2, cell: (tab) => (tab.isolated ? "own" : "") },
    ],
    rows: items,
    cursor: -1,
    top: detail.scroll.top,
  });
  if (rest.height >= 6) drawPage(canvas, inset(rest, 1, 0), vm, detail);
};

/** The picture alone. */
export const pageOnly: PaneView = ({ canvas, area, vm, detail }) => drawPage(canvas, area, vm, detail);
