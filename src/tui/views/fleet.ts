import type { Vm } from "../../contract/index.ts";
import { age } from "../../text/units.ts";
import { cutTop, inset } from "../canvas/area.ts";
import { sparkline } from "../canvas/sparkline.ts";
import { STATUS_LOOKS } from "../canvas/status.ts";
import { type Column, drawTable, scrolledTo } from "../canvas/table.ts";
import { type FleetRow, shownMarked, shownRows } from "../state/fleet.ts";
import type { SortField, State } from "../state/state.ts";
import { act, type Click, type View } from "./view.ts";

/** All VMs at a glance. */
export const fleet: View = (canvas, area, state, nowMs) => {
  const rows = shownRows(state);
  const { fleet: own, settings, vms } = state;
  let [, body] = cutTop(area, 0);
  if (own.filter !== "" || own.marked.size > 0) {
    const [line, rest] = cutTop(body, 1);
    const shown = rows.filter(({ kind }) => kind === "vm").length;
    const hidden = own.marked.size - shownMarked(state).length;
    const marked = own.marked.size > 0 ? `${own.marked.size} marked${hidden > 0 ? `, ${hidden} hidden` : ""}   ` : "";
    canvas.line(line, ` ${marked}${own.filter === "" ? "" : `${shown} of ${vms.size}  /${own.filter}`}`, {
      ink: "accent",
    });
    body = rest;
  }
  if (vms.size === 0) {
    const text = state.connection.status === "online" ? "No VMs. Press c to create one." : "";
    canvas.text(inset(body, 2, 1), text, { ink: "muted" });
    return;
  }
  const cursor = rows.findIndex((row) => row.kind === "vm" && row.vm.id === own.cursor);
  own.top = scrolledTo(cursor, own.top, body.height - 1, rows.length);
  drawTable<FleetRow, Click>(canvas, body, {
    columns: columns(state, nowMs).filter(({ id }) => !settings.hiddenColumns.includes(id)),
    rows,
    cursor,
    top: own.top,
    isMarked: (row) => row.kind === "vm" && own.marked.has(row.vm.id),
    head: (row) =>
      row.kind === "vm"
        ? null
        : [`▾ ${settings.groupBy}=${row.value || "-"} (${row.count})`, { ink: "info", bold: true }],
    sort: { id: settings.sort.field, descending: settings.sort.descending },
    onRow: (row) => (row.kind === "vm" ? { kind: "choose", vmId: row.vm.id } : act("group")),
    onHead: (id) => (SORTED_BY.has(id) ? { kind: "sort", field: id as SortField } : null),
    wheel: { up: act("previous"), down: act("next") },
  });
};

export const COLUMN_IDS = ["name", "status", "age", "address", "cpu", "memory", "page", "url", "control", "labels"];

const SORTED_BY: ReadonlySet<string> = new Set<SortField>(["name", "status", "age", "cpu", "memory", "page"]);

/** A cell of VMs; heads of groups have one text in the first column. */
const ofVm =
  (cell: (vm: Vm) => ReturnType<Column<FleetRow>["cell"]>): Column<FleetRow>["cell"] =>
  (row) =>
    row.kind === "vm" ? cell(row.vm) : "";

function columns(state: State, nowMs: number): Column<FleetRow>[] {
  const { usage, busy, booting } = state;
  const page = (vm: Vm) => usage.get(vm.id)?.page ?? null;
  return [
    {
      id: "name",
      title: "NAME",
      width: 14,
      grow: 2,
      rank: 0,
      cell: ofVm((vm) => vm.name),
    },
    {
      id: "status",
      title: "STATUS",
      width: 11,
      rank: 0,
      cell: ofVm((vm) => {
        const { sign, ink } = STATUS_LOOKS[vm.status];
        return [`${sign} ${busy.get(vm.id) ?? booting.get(vm.id) ?? vm.status}`, { ink }];
      }),
    },
    {
      id: "age",
      title: "AGE",
      width: 5,
      rank: 4,
      align: "right",
      cell: ofVm((vm) => [age(vm.created_at, nowMs), { ink: "muted" }]),
    },
    { id: "address", title: "ADDRESS", width: 15, rank: 6, cell: ofVm((vm) => [vm.ip_address, { ink: "muted" }]) },
    {
      id: "cpu",
      title: "CPU",
      width: 13,
      rank: 3,
      cell: ofVm((vm) => {
        const values = usage.get(vm.id)?.cpuPercent ?? [];
        const last = values.at(-1);
        if (last === undefined) return "";
        return `${sparkline(values, 8, 100 * vm.cpu_cores)} ${Math.round(last)}%`;
      }),
    },
    {
      id: "memory",
      title: "MEMORY",
      width: 13,
      rank: 5,
      cell: ofVm((vm) => {
        const values = usage.get(vm.id)?.memoryMb ?? [];
        const last = values.at(-1);
        return last === undefined ? "" : `${sparkline(values, 6, vm.memory_mb)} ${Math.round(last)}M`;
      }),
    },
    {
      id: "page",
      title: "PAGE",
      width: 16,
      grow: 3,
      rank: 1,
      cell: ofVm((vm) => {
        const shown = page(vm);
        return vm.status === "crashed" ? [vm.status_reason ?? "", { ink: "bad" }] : shown?.title || shown?.url || "";
      }),
    },
    {
      id: "url",
      title: "URL",
      width: 20,
      grow: 3,
      rank: 7,
      cell: ofVm((vm) => [page(vm)?.url ?? "", { ink: "muted" }]),
    },
    {
      id: "control",
      title: "CONTROL",
      width: 9,
      rank: 2,
      cell: ofVm((vm) => (vm.control ? [vm.control.label ?? "human", { ink: "warning" }] : "")),
    },
    {
      id: "labels",
      title: "LABELS",
      width: 12,
      grow: 1,
      rank: 8,
      cell: ofVm((vm) => [
        Object.entries(vm.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(" "),
        { ink: "muted" },
      ]),
    },
  ];
}
