import { age, duration, plural } from "../../../text/units.ts";
import { type Area, cutBottom, cutLeft, cutTop, inset } from "../../canvas/area.ts";
import type { Canvas } from "../../canvas/canvas.ts";
import { sparkline } from "../../canvas/sparkline.ts";
import { clean, wrap } from "../../canvas/text.ts";
import { isBooting } from "../../state/boot.ts";
import { bootLines } from "../boot.ts";
import type { Click } from "../view.ts";
import { drawFacts, type Fact } from "./facts.ts";
import { drawPage, LEAST_PAGE_ROWS } from "./picture.ts";
import type { PaneView } from "./vm.ts";

/** Narrower than this the page stands below the facts. */
const WIDE = 100;

/** Rows of the picture, where it stands below the facts and they are many. */
const PAGE_ROWS = 8;
/** Rows of one fact: a page may choose a title without end. */
const MOST_ROWS = 4;

export const overview: PaneView = (input) => {
  const { canvas, area, state, vm, detail, nowMs } = input;
  const inside = inset(area, 1, 0, 0);
  const [left, right] = area.width >= WIDE ? cutLeft(inside, Math.floor(inside.width * 0.45)) : [inside, null];
  const usage = state.usage.get(vm.id);
  const cpu = usage?.cpuPercent ?? [];
  const memory = usage?.memoryMb ?? [];
  // The numbers behind them must have room, too.
  const cells = Math.min(20, Math.max(4, left.width - 34));
  const working: Fact[] = [
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
    [
      "up",
      vm.started_at
        ? `${age(vm.started_at, nowMs)}, booted in ${vm.boot_ms === null ? "-" : duration(vm.boot_ms)}`
        : "-",
    ],
  ];
  const isUp = vm.status === "running" || vm.status === "paused";
  const boot = isBooting(vm) ? bootLines(state, vm, nowMs) : [];
  const facts: Fact[] = [
    ...(vm.status_reason ? [["reason", vm.status_reason, { ink: "bad" }] as Fact] : []),
    ...boot.map(([text, style], at): Fact => [at === 0 ? "boot" : "", text, style]),
    // What does not run has no page, and what it used to do is past.
    ...(isUp ? working : [["size", `${plural(vm.cpu_cores, "core")}, ${vm.memory_mb} MB`] as Fact]),
    ["address", vm.ip_address],
    ["network", `${vm.network ?? "-"}, egress ${vm.egress_mode}`],
    ["hypervisor", vm.hypervisor ? `${vm.hypervisor}/${vm.accelerator ?? "-"}  pid ${vm.pid ?? "-"}` : "-"],
    ...(vm.browser_restarts > 0 ? [["browser", `died ${plural(vm.browser_restarts, "time")}`] as Fact] : []),
    ...(vm.profile === null ? [] : [["profile", vm.profile] as Fact]),
    ...(vm.expires_at ? [["expires", vm.expires_at.slice(0, 19).replace("T", " ")] as Fact] : []),
    ...Object.entries(vm.labels).map(([key, value]): Fact => ["label", `${key}=${value}`]),
  ];
  // Below each other the picture has room before the last facts have: they can be scrolled to.
  const spared = right || vm.status !== "running" || left.height < 2 * PAGE_ROWS ? 0 : PAGE_ROWS + 1;
  const below = drawFacts(canvas, cutBottom(left, spared)[0], facts, { detail, mostRows: MOST_ROWS });
  const under = { ...below, height: below.height + spared };
  const place = right ? inset(right, 1, 0) : inset(cutTop(under, 1)[1], 0, 0, 1);
  if (place.height < LEAST_PAGE_ROWS) return;
  if (vm.status === "crashed" && vm.console_tail) drawLastWords(canvas, place, vm.console_tail);
  else if (right || !isBooting(vm)) drawPage({ ...input, area: place });
};

/** What the console said before the VM crashed. */
function drawLastWords(canvas: Canvas<Click>, area: Area, tail: string): void {
  const inside = canvas.box(area, "console, at its end", { titleInk: "muted" });
  const lines = tail.trimEnd().split("\n").flatMap((line) => wrap(clean(line), inside.width)); // prettier-ignore
  for (const [at, line] of lines.slice(-inside.height).entries())
    canvas.text({ ...inside, y: inside.y + at, height: 1 }, line, { ink: "muted" });
}
