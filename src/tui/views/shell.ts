import { type Area, cutBottom, cutLeft, cutTop } from "../canvas/area.ts";
import type { Canvas, Style } from "../canvas/canvas.ts";
import { STATUS_LOOKS } from "../canvas/status.ts";
import { widthOf, wrap } from "../canvas/text.ts";
import type { ActionName } from "../keys/bindings.ts";
import { bindingsFor, isOffline, keyLabel, whereOf } from "../keys/match.ts";
import type { State } from "../state/state.ts";
import { age, plural } from "../../text/units.ts";
import { offline } from "./offline.ts";
import { act, type Click, type View } from "./view.ts";

/** Below this nothing can be read: the screen says so instead. */
export const LEAST = { width: 60, height: 15 };
const TOASTS_SHOWN = 4;

/** Header, footer, messages, and between them the screen. */
export const shell =
  (screen: View): View =>
  (canvas, area, state, nowMs) => {
    canvas.fill(area, "screen");
    if (area.width < LEAST.width || area.height < LEAST.height) {
      canvas.text(area, `hype needs ${LEAST.width}x${LEAST.height}`, { ink: "warning" });
      canvas.text({ ...area, y: area.y + 1, height: area.height - 1 }, `this is ${area.width}x${area.height}`);
      return;
    }
    const [head, rest] = cutTop(area, 1);
    const [body, foot] = cutBottom(rest, 1);
    header(canvas, head, state, nowMs);
    const isAway = isOffline(state);
    // What a server that is away once said is shown for what it is: old.
    canvas.dimmed = !isAway && state.connection.status !== "online";
    (isAway ? offline : screen)(canvas, body, state, nowMs);
    canvas.dimmed = false;
    if (state.overlay) canvas.cover();
    footer(canvas, foot, state);
    toasts(canvas, body, state);
  };

const CONNECTION: Record<State["connection"]["status"], { sign: string; style: Style }> = {
  connecting: { sign: "◌ connecting", style: { ink: "info" } },
  online: { sign: "●", style: { ink: "good" } },
  offline: { sign: "✖ offline", style: { ink: "bad", bold: true } },
  refused: { sign: "✖ key refused", style: { ink: "bad", bold: true } },
};

function header(canvas: Canvas<Click>, area: Area, state: State, nowMs: number): void {
  const { connection, node, vms } = state;
  canvas.line(area, "", { paper: "bar" });
  const { sign, style } = CONNECTION[connection.status];
  const since = connection.status === "offline" ? ` ${age(new Date(connection.sinceMs).toISOString(), nowMs)}` : "";
  const bar = { paper: "bar" as const };
  const running = [...vms.values()].filter(({ status }) => status === "running").length;
  const crashed = [...vms.values()].filter(({ status }) => status === "crashed").length;
  const left: [string, Style][] = [
    [" hype ", { ...bar, ink: "accent", bold: true }],
    [`${sign}${since} `, { ...bar, ...style }],
    [`${connection.server.replace(/^https?:\/\//, "")} `, { ...bar, ink: "muted" }],
    [`  ${plural(vms.size, "VM")}`, bar],
    [`  ${STATUS_LOOKS.running.sign} ${running}`, { ...bar, ink: "good" }],
    ...(crashed > 0 ? [[`  ${STATUS_LOOKS.crashed.sign} ${crashed}`, { ...bar, ink: "bad" }] as [string, Style]] : []),
  ];
  const right = node
    ? [
        `${node.hypervisor.name ?? "no hypervisor"}${node.hypervisor.accelerator ? `/${node.hypervisor.accelerator}` : ""}`,
        `load ${node.host.load_average_1m.toFixed(1)}/${node.host.cpu_cores}`,
        `mem ${gigabytes(node.host.memory_total_mb - node.host.memory_available_mb)}/${gigabytes(node.host.memory_total_mb)} GB`,
        `v${node.version}`,
        new Date(nowMs).toTimeString().slice(0, 5),
      ]
    : [];
  const used = canvas.pieces(area, left);
  // What fits, from the right: the time stays longest.
  while (right.length > 0 && used + widthOf(right.join("  ")) + 3 > area.width) right.shift();
  const text = `${right.join("  ")} `;
  const [, at] = cutLeft(area, area.width - widthOf(text));
  canvas.text(at, text, { ...bar, ink: "muted" });
}

const gigabytes = (megabytes: number): string => (megabytes / 1024).toFixed(1);

/** Where help is and how to get away must be seen on the smallest screen. */
const ALWAYS: ReadonlySet<ActionName> = new Set(["help", "back", "quit", "close"]);

/** The keys that work here, as many as there is room for. */
function footer(canvas: Canvas<Click>, area: Area, state: State): void {
  canvas.line(area, "", { paper: "bar" });
  let rest = cutLeft(area, 1)[1];
  const hints = bindingsFor(whereOf(state), state).flatMap(
    ({ keys, footer: word, footerWhen, footerExtra, action }) => {
      if (!word || footerWhen?.(state) === false) return [];
      const key = keyLabel(keys[0] ?? "");
      // What an overlay does itself is done by its key.
      const click: Click = action === "own" ? { kind: "key", key: keys[0] ?? "" } : act(action);
      const rank = ALWAYS.has(action) ? 0 : footerExtra ? 2 : 1;
      return [{ key, word, click, width: widthOf(key) + widthOf(word) + 3, rank }];
    },
  );
  const shown = new Set<(typeof hints)[number]>();
  let spare = rest.width;
  for (const hint of hints.toSorted((one, other) => one.rank - other.rank)) {
    if (hint.width > spare) continue;
    spare -= hint.width;
    shown.add(hint);
  }
  for (const { key, word, click } of hints.filter((hint) => shown.has(hint))) {
    const used = canvas.pieces(rest, [
      [key, { ink: "accent", paper: "bar", bold: true }],
      [` ${word}  `, { ink: "muted", paper: "bar" }],
    ]);
    canvas.spot({ ...rest, width: used }, click);
    rest = cutLeft(rest, used)[1];
  }
}

/** In the lower right corner, the newest lowest; of those there is no room for, how many there are. */
function toasts(canvas: Canvas<Click>, area: Area, state: State): void {
  const width = Math.min(56, area.width - 4);
  let bottom = area.y + area.height;
  state.toastsShown = [];
  for (const { id, kind, text, stays } of state.toasts.slice(-TOASTS_SHOWN).toReversed()) {
    const lines = wrap(text.slice(0, 400).replace(/\s+/g, " "), width - 4).slice(0, 4);
    const height = lines.length + 2;
    if (bottom - height < area.y) break;
    bottom -= height;
    const box = { x: area.x + area.width - width - 1, y: bottom, width, height };
    const inside = canvas.box(box, stays && !state.overlay ? "x to dismiss" : "", {
      ink: kind === "info" ? "info" : kind,
      paper: "panel",
    });
    for (const [at, line] of lines.entries())
      canvas.text({ ...inside, x: inside.x + 1, y: inside.y + at, width: inside.width - 1, height: 1 }, line, {
        paper: "panel",
      });
    canvas.spot(box, act("dismiss"));
    state.toastsShown.push(id);
  }
  const more = state.toasts.length - state.toastsShown.length;
  if (more > 0 && bottom > area.y)
    canvas.text({ x: area.x + area.width - width - 1, y: bottom - 1, width, height: 1 }, ` ${more} more before `, {
      ink: "warning",
      paper: "panel",
    });
}
