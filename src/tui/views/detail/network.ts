import type { Entry } from "../../../contract/index.ts";
import { bytes, plural } from "../../../text/units.ts";
import { cutTop, inset } from "../../canvas/area.ts";
import type { Style } from "../../canvas/canvas.ts";
import { drawFacts } from "./facts.ts";
import { drawScrollbar, topOf } from "./scroll.ts";
import type { PaneView } from "./vm.ts";

type Request = Extract<Entry, { kind: "request" }>;
type Pieces = [text: string, style?: Style][];

/** What the guest may reach, what it was refused, and the requests that are recorded, newest first. */
export const network: PaneView = ({ canvas, area, vm, detail }) => {
  const inside = inset(area, 1, 0, 0);
  const { egress } = detail;
  const below = drawFacts(canvas, inside, [
    ["egress", `${vm.egress_mode}${egress && !egress.enforced ? " (this network cannot police)" : ""}`],
    ["allowed", egress ? traffic(egress.allowed) : "-"],
    ["refused", egress ? traffic(egress.refused) : "-"],
  ]);
  const rest = cutTop(below, 1)[1];
  const refusals = (egress?.refusals ?? []).map(({ protocol, address, port, packets }): Pieces => {
    const target = address.includes(":") && port !== null ? `[${address}]` : address;
    return [
      ["refused  ", { ink: "warning" }],
      [protocol.padEnd(8), { bold: true }],
      [`${target}${port === null ? "" : `:${port}`}  ${plural(packets, "packet")}`],
    ];
  });
  const requests = (detail.entries ?? []).filter((entry): entry is Request => entry.kind === "request").toReversed();
  const rows = [...refusals, ...requests.map(lineOf)];
  if (requests.length === 0)
    rows.push([
      [detail.problem ?? (vm.status === "running" ? "no requests recorded; r begins to record" : ""), { ink: "muted" }],
    ]);
  const top = topOf(detail, rows.length, rest.height);
  for (const [at, pieces] of rows.slice(top, top + rest.height).entries())
    canvas.pieces({ ...rest, y: rest.y + at, height: 1, width: rest.width - 2 }, pieces);
  drawScrollbar(canvas, rest, top, rows.length);
};

const traffic = ({ packets, bytes: count }: { packets: number; bytes: number }): string =>
  `${plural(packets, "packet")}, ${bytes(count)}`;

function lineOf(request: Request): Pieces {
  const isBad = request.error !== null || (request.status ?? 0) >= 400;
  return [
    [String(request.status ?? request.state).padEnd(9), { ink: isBad ? "bad" : "good" }],
    [request.method.padEnd(8), { bold: true }],
    [request.url],
  ];
}
