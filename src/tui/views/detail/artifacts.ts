import type { Artifact } from "../../../contract/index.ts";
import { age, bytes } from "../../../text/units.ts";
import { cutTop, inset } from "../../canvas/area.ts";
import { drawTable } from "../../canvas/table.ts";
import type { Click } from "../view.ts";
import { drawScrollbar, topOf } from "./scroll.ts";
import type { PaneView } from "./vm.ts";

export const artifacts: PaneView = ({ canvas, area, detail, nowMs }) => {
  const items = detail.artifacts;
  if (!items || items.length === 0)
    return void canvas.text(inset(area, 2, 1), detail.problem ?? (items ? "nothing is kept of this VM" : "asking …"), {
      ink: "muted",
    });
  const rows = cutTop(area, 1)[1];
  const top = topOf(detail, items.length, rows.height);
  drawTable<Artifact, Click>(canvas, inset(area, 0, 0, 1), {
    columns: [
      { id: "name", title: "NAME", width: 20, grow: 3, rank: 0, cell: (artifact) => artifact.name },
      { id: "kind", title: "KIND", width: 10, rank: 1, cell: (artifact) => artifact.kind },
      { id: "size", title: "SIZE", width: 8, rank: 0, align: "right", cell: (artifact) => bytes(artifact.size_bytes) },
      {
        id: "age",
        title: "AGE",
        width: 5,
        rank: 2,
        align: "right",
        cell: (artifact) => age(artifact.created_at, nowMs),
      },
      { id: "id", title: "ID", width: 36, rank: 3, cell: (artifact) => [artifact.id, { ink: "muted" }] },
    ],
    rows: items,
    cursor: -1,
    top,
  });
  drawScrollbar(canvas, rows, top, items.length);
};
