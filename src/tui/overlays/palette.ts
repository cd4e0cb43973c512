import { cutTop, inset } from "../canvas/area.ts";
import { EMPTY, insert, type Line, lineOf } from "../canvas/line-editor.ts";
import { scrolledTo } from "../canvas/table.ts";
import { type Completion, remembered } from "../commands/commands.ts";
import { nameOf } from "../keys/match.ts";
import type { PaletteOverlay } from "../state/overlays.ts";
import { targets } from "../state/fleet.ts";
import { Lines } from "../state/lines.ts";
import type { State } from "../state/state.ts";
import { edited } from "./edit.ts";
import type { OverlayContext, OverlayRoom } from "./overlay.ts";

const SHOWN = 10;

export const emptyPalette = (): PaletteOverlay => ({
  kind: "palette",
  line: EMPTY,
  back: 0,
  draft: EMPTY,
  cursor: -1,
  found: [],
});

/** Any command of hype, with completion. Tab takes what is suggested, up and down go through the history. */
export const palette: OverlayRoom<"palette"> = {
  draw(canvas, area, _state, own) {
    const width = Math.min(90, area.width - 4);
    const rows = Math.min(own.found.length, SHOWN, area.height - 4);
    const top = scrolledTo(own.cursor, 0, rows, own.found.length);
    const shown = own.found.slice(top, top + rows);
    const box = { x: area.x + Math.floor((area.width - width) / 2), y: area.y + 1, width, height: shown.length + 3 };
    const inside = inset(canvas.box(box, "hype", { ink: "accent", paper: "panel" }), 1, 0);
    const [field, list] = cutTop(inside, 1);
    canvas.field(field, own.line, {
      focused: true,
      placeholder: "a command; tab completes, {} stands for the marked VMs",
    });
    for (const [at, { word, description }] of shown.entries()) {
      const row = { ...list, y: list.y + at, height: 1 };
      canvas.spot(row, { kind: "item", index: top + at });
      const paper = top + at === own.cursor ? ("selection" as const) : ("panel" as const);
      canvas.line(row, "", { paper });
      canvas.pieces(row, [
        [word.padEnd(22), { ink: "accent", paper }],
        [` ${description}`, { ink: "muted", paper }],
      ]);
    }
  },
  key(own, key, context) {
    const name = nameOf(key);
    if (name === "return") return run(own.line.text.trim(), context);
    if (name === "tab" || name === "shift+tab") return complete(own, name === "tab" ? 1 : -1, context);
    if (name === "up" || name === "down") return recall(own, name === "up" ? 1 : -1, context);
    const line = edited(own.line, key);
    if (line) type(line, context);
  },
  click: (own, index, context) => takeWord(own, index, context),
  paste: (own, text, context) => type(insert(own.line, text), context),
};

function type(line: Line, { store, commands }: OverlayContext): void {
  const found = commands.complete(line.text);
  store.update((state) => void (state.overlay = { ...emptyPalette(), line, found }));
}

/** Puts the next suggestion in place of the last word; one that is the only one is followed by a space. */
function complete(own: PaletteOverlay, by: number, { store, commands }: OverlayContext): void {
  const found = own.found.length > 0 ? own.found : commands.complete(own.line.text);
  if (found.length === 0) return;
  const cursor = (own.cursor + by + found.length) % found.length;
  if (found.length === 1) return takeWord({ ...own, found }, cursor, { store, commands });
  const head = own.line.text.replace(/\S*$/, "");
  const text = head + (found[cursor]?.word ?? "");
  store.update((state) => void (state.overlay = { ...own, line: lineOf(text), found, cursor }));
}

/** Puts a suggestion in place of the last word, a space behind it, and suggests what may follow. */
function takeWord(
  own: PaletteOverlay,
  index: number,
  { store, commands }: Pick<OverlayContext, "store" | "commands">,
): void {
  const word = own.found[index]?.word;
  if (word === undefined) return;
  const line = lineOf(`${own.line.text.replace(/\S*$/, "")}${word} `);
  const next: readonly Completion[] = commands.complete(line.text);
  store.update((state) => void (state.overlay = { ...emptyPalette(), line, found: next }));
}

function recall(own: PaletteOverlay, by: number, { store }: OverlayContext): void {
  store.update((state) => {
    const { history } = state;
    const back = Math.min(Math.max(0, own.back + by), history.length);
    const draft = own.back === 0 ? own.line : own.draft;
    const line = back === 0 ? draft : lineOf(history[history.length - back] ?? "");
    state.overlay = { ...own, back, draft, line, found: [], cursor: -1 };
  });
}

const nothingShown = { code: null, top: { line: 0, row: 0 }, follow: true, seen: { width: 80, height: 1 } };

/** Runs the line; what it writes comes into a pane of its own. */
function run(line: string, context: OverlayContext): void {
  const { store, running } = context;
  if (line === "") return;
  const lines = new Lines();
  const stop = new AbortController();
  const title = line.replace(/^hype\s+/, "");
  store.update((state) => {
    state.history = remembered(state.history, title);
    state.overlay = { kind: "output", title, lines, ...nothingShown, stop };
  });
  const isOpen = () => store.state.overlay?.kind === "output" && store.state.overlay.lines === lines;
  const done = runEach(forSelection(title, store.state), context, lines, stop.signal).then((code) => {
    if (!isOpen()) {
      const said =
        code === 0 ? "done" : `exit code ${code}: ${lines.all().findLast((text) => text.trim() !== "") ?? ""}`;
      return store.toast(code === 0 ? "good" : "bad", `${title}: ${said}`, code !== 0);
    }
    store.update((state) => {
      if (state.overlay?.kind === "output") state.overlay = { ...state.overlay, code };
    });
  });
  running.add(stop, done);
}

/** `{}` stands for the VMs that are marked, or for the chosen one: the line is run once for each. */
function forSelection(line: string, state: State): string[] {
  if (!line.includes("{}")) return [line];
  return targets(state).map(({ name }) => line.replaceAll("{}", name));
}

/** One after the other. @returns the first exit code that is not 0 */
async function runEach(
  all: readonly string[],
  { store, commands }: OverlayContext,
  lines: Lines,
  signal: AbortSignal,
): Promise<number> {
  const write = (text: string) => {
    lines.push(text);
    store.update(() => {});
  };
  let failed = 0;
  for (const line of all) {
    if (signal.aborted) break;
    if (all.length > 1) write(`hype ${line}\n`);
    failed ||= await commands.run(line, write, signal);
  }
  return failed;
}
