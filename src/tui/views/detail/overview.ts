import { age, duration } from "../../../text/units.ts";
import { cutLeft, cutTop, inset } from "../../canvas/area.ts";
import { sparkline } from "../../canvas/sparkline.ts";
import { drawFacts, type Fact } from "./facts.ts";
import { drawPage } from "./picture.ts";
import type { PaneView } from "./vm.ts";

/** Narrower than this the page stands below the facts. */
const WIDE = 100;

export const overview: PaneView = ({ canvas, area, state, vm, detail, nowMs }) => {
  const inside = inset(area, 1, 0);
  const [left, right] = area.width >= WIDE ? cutLeft(inside, Math.floor(inside.width * 0.45)) : [inside, null];
  const usage = state.usage.get(vm.id);
  const cpu = usage?.cpuPercent ?? [];
  const memory = usage?.memoryMb ?? [];
  // The numbers behind them must have room, too.
  const cells = Math.min(20, Math.max(4, left.width - 32));
  const facts: Fact[] = [
    ...(vm.status_reason ? [["reason", vm.status_reason, { ink: "bad" }] as Fact] : []),
    ["page", usage?.page ? usage.page.title || "(no title)" : "-", { bold: true }],
    ["url", usage?.page?.url ?? "-", { ink: "accent" }],
    ["tabs", String(usage?.page?.tabs ?? detail.tabs?.length ?? "-")],
    [
      "cpu",
      cpu.length === 0
        ? "-"
        : `${sparkline(cpu, cells, 100 * vm.cpu_cores)}  ${Math.round(cpu.at(-1) ?? 0)}% of ${vm.cpu_cores}`,
    ],
    [
      "memory",
      memory.length === 0 ? "-" : `${sparkline(memory, cells, vm.memory_mb)}  ${memory.at(-1)} of ${vm.memory_mb} MB`,
    ],
    ["address", vm.ip_address],
    ["network", `${vm.network ?? "-"}, egress ${vm.egress_mode}`],
    ["hypervisor", vm.hypervisor ? `${vm.hypervisor}/${vm.accelerator ?? "-"}  pid ${vm.pid ?? "-"}` : "-"],
    [
      "up",
      vm.started_at
        ? `${age(vm.started_at, nowMs)}, booted in ${vm.boot_ms === null ? "-" : duration(vm.boot_ms)}`
        : "-",
    ],
    ["browser", vm.browser_restarts === 0 ? "never died" : `died ${vm.browser_restarts} times`],
    ...(vm.expires_at ? [["expires", vm.expires_at.slice(0, 19).replace("T", " ")] as Fact] : []),
    ...Object.entries(vm.labels).map(([key, value]): Fact => ["label", `${key}=${value}`]),
  ];
  const used = drawFacts(canvas, left, facts);
  const rest = cutTop(left, used + 1)[1];
  if (vm.status === "crashed" && vm.console_tail)
    for (const [at, line] of vm.console_tail.split("\n").slice(-rest.height).entries())
      canvas.text({ ...rest, y: rest.y + at, height: 1 }, line, { ink: "muted" });
  else if (right) drawPage(canvas, inset(right, 1, 0), vm, detail);
  else if (rest.height >= 6) drawPage(canvas, rest, vm, detail);
};
