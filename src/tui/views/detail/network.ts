import type { Entry } from "../../../contract/index.ts";
import { bytes } from "../../../text/units.ts";
import { cutTop, inset } from "../../canvas/area.ts";
import { drawFacts } from "./facts.ts";
import type { PaneView } from "./vm.ts";

type Request = Extract<Entry, { kind: "request" }>;

/** What the guest may reach, what it was refused, and the requests that are recorded. */
export const network: PaneView = ({ canvas, area, vm, detail }) => {
  const inside = inset(area, 1, 0);
  const { egress } = detail;
  const used = drawFacts(canvas, inside, [
    ["egress", `${vm.egress_mode}${egress && !egress.enforced ? " (this network cannot police)" : ""}`],
    ["allowed", egress ? `${egress.allowed.packets} packets, ${bytes(egress.allowed.bytes)}` : "-"],
    ["refused", egress ? `${egress.refused.packets} packets, ${bytes(egress.refused.bytes)}` : "-"],
  ]);
  let rest = cutTop(inside, used + 1)[1];
  const refusals = egress?.refusals ?? [];
  for (const { protocol, address, port, packets } of refusals.slice(0, Math.floor(rest.height / 3))) {
    const [line, below] = cutTop(rest, 1);
    canvas.text(line, `refused ${protocol} ${address}${port === null ? "" : `:${port}`}  ${packets} packets`, {
      ink: "warning",
    });
    rest = below;
  }
  const requests = (detail.entries ?? []).filter((entry): entry is Request => entry.kind === "request");
  if (requests.length === 0) {
    const text = vm.status === "running" ? "no requests recorded; r begins to record" : "";
    return void canvas.text(rest, detail.problem ?? text, { ink: "muted" });
  }
  for (const [at, request] of requests.slice(-rest.height).entries()) {
    const isBad = request.error !== null || (request.status ?? 0) >= 400;
    canvas.pieces({ ...rest, y: rest.y + at, height: 1 }, [
      [String(request.status ?? request.state).padEnd(9), { ink: isBad ? "bad" : "good" }],
      [request.method.padEnd(6), { bold: true }],
      [request.url],
    ]);
  }
};
