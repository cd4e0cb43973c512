import { centred, inset } from "../../canvas/area.ts";
import { insert, lineOf } from "../../canvas/line-editor.ts";
import { wrap } from "../../canvas/text.ts";
import { nameOf } from "../../keys/match.ts";
import type { CreateOverlay } from "../../state/overlays.ts";
import { edited } from "../edit.ts";
import type { OverlayContext, OverlayRoom } from "../overlay.ts";
import { check, CREATE_FIELDS, type CreateField, HINTS } from "./fields.ts";

const LABEL_WIDTH = 10;

/** The form for a new VM. Enter creates, tab moves, ctrl-n picks from what the server has. */
export const create: OverlayRoom<"create"> = {
  draw(canvas, area, _state, own) {
    const { faults } = check(own.fields);
    const inside = inset(
      canvas.box(centred(area, 76, CREATE_FIELDS.length + 6), "Create a VM", { ink: "accent", paper: "panel" }),
      1,
      0,
    );
    const row = (at: number) => ({ ...inside, y: inside.y + at, height: 1 });
    const first = inside.height > CREATE_FIELDS.length + 2 ? 1 : 0;
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
    }
    const below = first + CREATE_FIELDS.length + 1;
    // What is wrong with the field that has the cursor, else with the first that was left.
    const wrong = [own.focus, ...CREATE_FIELDS].find((field) => own.touched.has(field) && faults[field] !== undefined);
    const complaint = own.refusal ?? (wrong && `${wrong}: ${faults[wrong]}`);
    if (complaint)
      for (const [at, text] of wrap(complaint, inside.width).slice(0, 2).entries())
        canvas.text(row(below + at), text, { ink: "bad", paper: "panel" });
    else
      canvas.pieces(row(below), [
        ["⏎", { ink: "accent", paper: "panel", bold: true }],
        [" create   ", { paper: "panel" }],
        ["tab", { ink: "accent", paper: "panel", bold: true }],
        [" next field   ", { paper: "panel" }],
        ...(choices(own).length > 0
          ? ([
              ["ctrl-n", { ink: "accent", paper: "panel", bold: true }],
              [` ${choices(own).slice(0, 4).join(", ")}`, { ink: "muted", paper: "panel" }],
            ] as const)
          : []),
      ]);
  },
  key(own, key, context) {
    const name = nameOf(key);
    if (name === "return") return submit(own, context);
    if (name === "tab" || name === "down") return focus(own, 1, context);
    if (name === "shift+tab" || name === "up") return focus(own, -1, context);
    if (name === "ctrl+n") return pick(own, context);
    const line = edited(own.fields[own.focus], key);
    if (line) set(context, { ...own, fields: { ...own.fields, [own.focus]: line }, refusal: null });
  },
  paste: (own, text, context) =>
    set(context, {
      ...own,
      fields: { ...own.fields, [own.focus]: insert(own.fields[own.focus], text) },
      refusal: null,
    }),
};

const set = ({ store }: OverlayContext, overlay: CreateOverlay) =>
  store.update((state) => void (state.overlay = overlay));

function focus(own: CreateOverlay, by: number, context: OverlayContext): void {
  const at = (CREATE_FIELDS.indexOf(own.focus) + by + CREATE_FIELDS.length) % CREATE_FIELDS.length;
  set(context, { ...own, focus: CREATE_FIELDS[at] ?? "name", touched: new Set([...own.touched, own.focus]) });
}

/** What can be picked for the field that is edited. */
function choices({ focus: field, images, profiles }: CreateOverlay): readonly string[] {
  if (field === "image") return images;
  if (field === "profile") return profiles;
  return field === "egress" ? ["internet", "none", "open"] : [];
}

function pick(own: CreateOverlay, context: OverlayContext): void {
  const all = choices(own);
  const next = all[(all.indexOf(own.fields[own.focus].text) + 1) % Math.max(1, all.length)];
  if (next !== undefined) set(context, { ...own, fields: { ...own.fields, [own.focus]: lineOf(next) } });
}

function submit(own: CreateOverlay, context: OverlayContext): void {
  const { input, faults } = check(own.fields);
  const bad = CREATE_FIELDS.find((field) => faults[field] !== undefined);
  if (bad) return set(context, { ...own, focus: bad, touched: new Set<CreateField>(CREATE_FIELDS) });
  context.store.update((state) => void (state.overlay = null));
  // Refused: the form comes back as it was, unless something else has the keys by then.
  void context.operations.create(input, (refusal) =>
    context.store.update((state) => void (state.overlay ??= { ...own, refusal })),
  );
}
