import { type Area, centred, inset } from "../../canvas/area.ts";
import type { Canvas } from "../../canvas/canvas.ts";
import { insert, type Line, lineOf } from "../../canvas/line-editor.ts";
import { scrolledTo } from "../../canvas/table.ts";
import { wrap } from "../../canvas/text.ts";
import { nameOf } from "../../keys/match.ts";
import type { CreateOverlay, Overlay } from "../../state/overlays.ts";
import type { Click } from "../../views/view.ts";
import { edited } from "../edit.ts";
import type { OverlayContext, OverlayRoom } from "../overlay.ts";
import { choicesOf } from "./choices.ts";
import { check, CREATE_FIELDS, type CreateField, HINTS } from "./fields.ts";
import { drawMade, openMade } from "./made.ts";

const LABEL_WIDTH = 10;
const MOST_CHOICES = 6;

/** The form for a new VM, and then how far its boot is. */
export const create: OverlayRoom<"create"> = {
  draw(canvas, area, state, own, nowMs) {
    if (own.made !== null) return drawMade(canvas, area, state, own.made, nowMs);
    const box = canvas.box(centred(area, 76, CREATE_FIELDS.length + 6), "Create a VM", {
      ink: "accent",
      paper: "panel",
    });
    const inside = inset(box, 1, 0);
    const row = (at: number) => ({ ...inside, y: inside.y + at, height: 1 });
    const first = inside.height > CREATE_FIELDS.length + 2 ? 1 : 0;
    const faults = faultsOf(own);
    for (const [at, field] of CREATE_FIELDS.entries()) {
      const isFocused = own.focus === field;
      const line = row(first + at);
      const isWrong = own.touched.has(field) && faults[field] !== undefined;
      canvas.text(line, `${isWrong ? "✖ " : ""}${field}`, {
        ink: isWrong ? "bad" : isFocused ? "accent" : "muted",
        paper: "panel",
        bold: isFocused,
      });
      const place = { ...line, x: line.x + LABEL_WIDTH, width: line.width - LABEL_WIDTH };
      canvas.field(place, own.fields[field], { focused: isFocused, placeholder: HINTS[field] });
      canvas.spot(line, { kind: "item", index: at });
    }
    const below = first + CREATE_FIELDS.length + (first === 1 ? 1 : 0);
    // What is wrong with the field that has the cursor, else with the first that was changed.
    const wrong = [own.focus, ...CREATE_FIELDS].find((field) => own.touched.has(field) && faults[field] !== undefined);
    const complaint = own.refusal ?? (wrong && `${wrong}: ${faults[wrong]}`);
    if (complaint)
      for (const [at, text] of wrap(complaint, inside.width).slice(0, 2).entries())
        canvas.text(row(below + at), text, { ink: "bad", paper: "panel" });
    else if (own.isSent) canvas.text(row(below), "asking the server …", { ink: "info", paper: "panel" });
    else canvas.text(row(below), hintOf(own), { ink: "muted", paper: "panel" });
    if (!own.isSent) drawChoices(canvas, inside, first + CREATE_FIELDS.indexOf(own.focus) + 1, own);
  },
  key(own, key, context) {
    const name = nameOf(key);
    if (own.made !== null) return name === "return" ? openMade(own.made, context) : undefined;
    if (own.isSent) return;
    const choice = choicesOf(own)[own.cursor];
    if (name === "return") return choice ? take(own, choice.value, context) : submit(own, context);
    if (name === "tab") return choice ? take(own, choice.value, context) : focus(own, 1, context);
    if (name === "shift+tab") return focus(own, -1, context);
    if (name === "down" || name === "up") return move(own, name === "down" ? 1 : -1, context);
    const line = edited(own.fields[own.focus], key);
    if (line) write(own, line, context);
  },
  click(own, index, context) {
    if (own.made !== null || own.isSent) return;
    const field = CREATE_FIELDS[index];
    if (field) return set(context, { ...own, focus: field, cursor: -1 });
    const choice = choicesOf(own)[index - CREATE_FIELDS.length];
    if (choice) take(own, choice.value, context);
  },
  paste(own, text, context) {
    if (own.made === null && !own.isSent) write(own, insert(own.fields[own.focus], text), context);
  },
};

const set = ({ store }: OverlayContext, overlay: CreateOverlay) =>
  store.update((state) => void (state.overlay = overlay));

/** What is typed is judged while it is typed. */
const write = (own: CreateOverlay, line: Line, context: OverlayContext) =>
  set(context, {
    ...own,
    fields: { ...own.fields, [own.focus]: line },
    touched: new Set([...own.touched, own.focus]),
    refusal: null,
    cursor: -1,
  });

function focus(own: CreateOverlay, by: number, context: OverlayContext): void {
  const at = (CREATE_FIELDS.indexOf(own.focus) + by + CREATE_FIELDS.length) % CREATE_FIELDS.length;
  const touched = new Set([...own.touched, own.focus]);
  set(context, { ...own, focus: CREATE_FIELDS[at] ?? "name", touched, cursor: -1 });
}

/** Through the list of what can be picked; above its first line, and where there is none, to another field. */
function move(own: CreateOverlay, by: 1 | -1, context: OverlayContext): void {
  const count = choicesOf(own).length;
  if (count === 0 || (by < 0 && own.cursor < 0)) return focus(own, by, context);
  set(context, { ...own, cursor: Math.min(own.cursor + by, count - 1) });
}

/** Puts what was picked into the field, and goes on to the next. */
function take(own: CreateOverlay, value: string, context: OverlayContext): void {
  focus({ ...own, fields: { ...own.fields, [own.focus]: lineOf(value) }, refusal: null }, 1, context);
}

function hintOf(own: CreateOverlay): string {
  const asked = own.focus === "image" ? own.images : own.focus === "profile" ? own.profiles : null;
  if (asked === null || asked.length > 0) return "";
  return own.isAsked ? `the server lists no ${own.focus}s` : "asking the server …";
}

/** Below the field, over those that follow. */
function drawChoices(canvas: Canvas<Click>, inside: Area, from: number, own: CreateOverlay): void {
  const all = choicesOf(own);
  const height = Math.min(all.length, MOST_CHOICES, inside.height - from);
  if (height <= 0) return;
  const top = scrolledTo(own.cursor, 0, height, all.length);
  const wheel = { up: { kind: "key", key: "up" } as const, down: { kind: "key", key: "down" } as const };
  const width = Math.max(...all.map(({ value }) => value.length)) + 2;
  for (const [at, { value, note }] of all.slice(top, top + height).entries()) {
    const line = { x: inside.x + LABEL_WIDTH, y: inside.y + from + at, width: inside.width - LABEL_WIDTH, height: 1 };
    const isChosen = top + at === own.cursor;
    const paper = isChosen ? ("selection" as const) : ("bar" as const);
    canvas.line(line, "", { paper });
    canvas.pieces(line, [
      [isChosen ? "❯ " : "  ", { ink: "accent", paper }],
      [value.padEnd(width), { ink: isChosen ? "selected" : "text", paper, bold: isChosen }],
      [note, { ink: isChosen ? "selected" : "muted", paper }],
    ]);
    if (at === height - 1 && top + height < all.length)
      canvas.text({ ...line, x: line.x + line.width - 10, width: 10 }, ` ${all.length - top - height} more ↓`, {
        ink: "muted",
        paper,
      });
    canvas.spot(line, { kind: "item", index: CREATE_FIELDS.length + top + at }, wheel);
  }
}

/** What is wrong with the fields: what the contract says, and names that the server does not have. */
function faultsOf({ fields, profiles }: CreateOverlay): Partial<Record<CreateField, string>> {
  const { faults } = check(fields);
  const profile = fields.profile.text.trim();
  // Nothing is listed to a key that may not ask: the server will say.
  if (profile !== "" && profiles.length > 0 && !profiles.some(({ value }) => value === profile))
    faults.profile ??= `there is no profile ${profile}`;
  return faults;
}

function submit(own: CreateOverlay, context: OverlayContext): void {
  const { store, operations } = context;
  const faults = faultsOf(own);
  const bad = CREATE_FIELDS.find((field) => faults[field] !== undefined);
  if (bad) return set(context, { ...own, focus: bad, cursor: -1, touched: new Set<CreateField>(CREATE_FIELDS) });
  set(context, { ...own, isSent: true, refusal: null });
  // What can be picked may come meanwhile, and makes another form of the same fields.
  const isThisForm = (overlay: Overlay | null): overlay is CreateOverlay =>
    overlay?.kind === "create" && overlay.isSent && overlay.fields === own.fields;
  void operations.create(
    check(own.fields).input,
    (vm) => {
      const { overlay } = store.state;
      if (isThisForm(overlay)) set(context, { ...overlay, made: vm.id });
      else store.toast("info", `${vm.name} boots`);
    },
    // The form comes back as it was, unless something else has the keys by then.
    (refusal) =>
      store.update((state) => {
        if (isThisForm(state.overlay)) state.overlay = { ...state.overlay, isSent: false, refusal };
        else if (state.overlay === null) state.overlay = { ...own, refusal };
        else store.toast("bad", refusal, true);
      }),
  );
}
