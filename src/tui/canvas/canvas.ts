import { type OptimizedBuffer, TextAttributes } from "@opentui/core";
import type { Ink, Paper, Theme } from "../theme/themes.ts";
import { type Area, contains } from "./area.ts";
import { type Line, visible } from "./line-editor.ts";
import { clean, clip, fit, widthOf } from "./text.ts";

export type Style = { ink?: Ink; paper?: Paper; bold?: boolean; underline?: boolean; dim?: boolean };

/** A place that does something when it is clicked. */
export type Spot<Action> = { area: Area; action: Action; wheel?: { up: Action; down: Action } };

/**
 * What views draw on: one frame of the screen. Nothing drawn leaves the area it was given, and all text is made harmless here,
 * so that no view can forget it.
 */
export class Canvas<Action> {
  readonly theme: Theme;
  readonly #buffer: OptimizedBuffer;
  readonly #spots: Spot<Action>[] = [];
  /** Where the text cursor stands; null: nowhere. */
  cursor: { x: number; y: number } | null = null;
  /** Everything is drawn faintly. */
  dimmed = false;
  /** Where the picture of a page goes; null: none is wanted in this frame. */
  picture: Area | null = null;

  constructor(buffer: OptimizedBuffer, theme: Theme) {
    this.#buffer = buffer;
    this.theme = theme;
  }

  /** The place that was drawn last at this point: what lies on top. */
  spotAt(x: number, y: number): Spot<Action> | null {
    return this.#spots.findLast(({ area }) => contains(area, x, y)) ?? null;
  }

  spot(area: Area, action: Action, wheel?: Spot<Action>["wheel"]): void {
    this.#spots.push({ area, action, ...(wheel && { wheel }) });
  }

  /** What was drawn so far is under something else: a click does not reach it. */
  cover(): void {
    this.#spots.length = 0;
  }

  fill(area: Area, paper: Paper): void {
    const { theme } = this;
    if (area.width <= 0 || area.height <= 0) return;
    if (theme.isColoured) return this.#buffer.fillRect(area.x, area.y, area.width, area.height, theme.paper[paper]);
    // A filled rectangle has white ink, which is a colour: blanks have the terminal's own.
    const blank = " ".repeat(area.width);
    for (let row = 0; row < area.height; row++)
      this.#buffer.drawText(blank, area.x, area.y + row, theme.ink.text, theme.paper[paper]);
  }

  /** One line from the area's left edge, cut at its right. @returns cells it took */
  text(area: Area, text: string, style: Style = {}): number {
    if (area.height <= 0 || area.width <= 0) return 0;
    const shown = clip(clean(text), area.width);
    this.#draw(shown, area, style);
    return widthOf(shown);
  }

  /** A whole line of the area's width, so that its paper reaches both edges. */
  line(area: Area, text: string, style: Style = {}, align: "left" | "right" = "left"): void {
    if (area.height <= 0 || area.width <= 0) return;
    this.#draw(fit(clean(text), area.width, align), area, style);
  }

  /** Pieces of different looks, one after the other. @returns cells they took */
  pieces(area: Area, pieces: readonly (readonly [text: string, style?: Style])[]): number {
    let used = 0;
    for (const [text, style] of pieces)
      used += this.text({ ...area, x: area.x + used, width: area.width - used }, text, style);
    return used;
  }

  /** A frame with a title in its upper edge. @returns what is inside */
  box(area: Area, title: string, style: { ink?: Ink; titleInk?: Ink; paper?: Paper } = {}): Area {
    const inside = {
      x: area.x + 1,
      y: area.y + 1,
      width: Math.max(0, area.width - 2),
      height: Math.max(0, area.height - 2),
    };
    if (area.width < 2 || area.height < 2) return inside;
    const { ink } = this.theme;
    this.fill(area, style.paper ?? "screen");
    this.#buffer.drawBox({
      x: area.x,
      y: area.y,
      width: area.width,
      height: area.height,
      border: true,
      borderStyle: "rounded",
      borderColor: ink[style.ink ?? "border"],
      backgroundColor: this.theme.paper[style.paper ?? "screen"],
      shouldFill: false,
    });
    if (title !== "" && area.width > 6)
      this.text({ x: area.x + 2, y: area.y, width: area.width - 4, height: 1 }, ` ${title} `, {
        ink: style.titleInk ?? "title",
        paper: style.paper ?? "screen",
        bold: true,
      });
    return inside;
  }

  /** A field with its text and, where it has the focus, the cursor. */
  field(area: Area, line: Line, options: { focused: boolean; placeholder?: string; hidden?: boolean }): void {
    const shown = visible(options.hidden ? { ...line, text: "•".repeat(line.text.length) } : line, area.width);
    const isEmpty = line.text === "";
    this.line(area, isEmpty ? (options.placeholder ?? "") : shown.text, {
      ink: isEmpty ? "muted" : "text",
      paper: "field",
      underline: !this.theme.isColoured,
    });
    if (options.focused && area.width > 0)
      this.cursor = { x: area.x + Math.min(shown.cursorX, area.width - 1), y: area.y };
  }

  #draw(text: string, { x, y }: Area, { ink = "text", paper, bold, underline, dim }: Style): void {
    const { theme } = this;
    // Without colours the chosen line is told by swapping ink and paper.
    const inverse = !theme.isColoured && (paper === "selection" || paper === "bar");
    const attributes =
      (bold ? TextAttributes.BOLD : 0) |
      (underline ? TextAttributes.UNDERLINE : 0) |
      ((dim || this.dimmed) && theme.name !== "contrast" ? TextAttributes.DIM : 0) |
      (inverse ? TextAttributes.INVERSE : 0);
    // What is chosen must be read as well as the rest: faint ink is not for its paper, and bright paper has its own.
    const isChosen = paper === "selection" && (ink === "muted" || theme.name === "contrast");
    this.#buffer.drawText(
      text,
      x,
      y,
      theme.ink[isChosen ? "selected" : ink],
      paper ? theme.paper[paper] : undefined,
      attributes,
    );
  }
}
