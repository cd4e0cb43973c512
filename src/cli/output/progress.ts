import type { Writable } from "node:stream";
import type { Colours } from "./colours.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { duration } from "../../text/units.ts";

/** Steps of a longer operation, told while they happen. Human words only: machines read standard output. */
export type Progress = Disposable & {
  /** Begins a step; an unfinished one is finished under its own words. */
  step(text: string): void;
  /** More about the present step, e.g. a tool's output: its last line is shown, on a terminal only. */
  detail(text: string): void;
  /** Ends the present step, with better words for what was done. */
  done(text?: string): void;
};

export const silentProgress: Progress = { step() {}, detail() {}, done() {}, [Symbol.dispose]() {} };

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const CLEAR_LINE = "\r\x1b[K";

type Target = { stream: Writable; isTerminal: boolean; columns: number; colours: Colours };

/** A spinner on a terminal; elsewhere one line when a step begins and one when it ends. Disposing clears the spinner. */
export const createProgress = (target: Target): Progress => (target.isTerminal ? spinner(target) : lines(target));

const lastLine = (text: string): string =>
  text
    .trimEnd()
    .split(/[\r\n]/)
    .pop() ?? "";

function lines({ stream }: Target): Progress {
  let current: { text: string; since: number } | null = null;
  const done = (text = current?.text) => {
    if (current && text) stream.write(`${sanitizeLine(text)} (${duration(performance.now() - current.since)})\n`);
    current = null;
  };
  return {
    step(text) {
      done();
      current = { text, since: performance.now() };
      stream.write(`${sanitizeLine(text)} ...\n`);
    },
    detail() {},
    done,
    [Symbol.dispose]() {
      current = null;
    },
  };
}

function spinner({ stream, columns, colours }: Target): Progress {
  let current: { text: string; detail: string; since: number } | null = null;
  let frame = 0;
  const draw = () => {
    if (!current) return;
    const elapsed = duration(performance.now() - current.since);
    const words = current.detail === "" ? current.text : `${current.text}: ${current.detail}`;
    const room = Math.max(10, (columns || 80) - elapsed.length - 5);
    frame = (frame + 1) % FRAMES.length;
    stream.write(
      `${CLEAR_LINE}${colours.blue(FRAMES[frame] ?? "")} ${Bun.sliceAnsi(words, 0, room)} ${colours.dim(elapsed)}`,
    );
  };
  const timer = setInterval(draw, FRAME_MS);
  const done = (text = current?.text) => {
    if (!current || !text) return;
    const elapsed = duration(performance.now() - current.since);
    stream.write(`${CLEAR_LINE}${colours.green("✓")} ${sanitizeLine(text)} ${colours.dim(elapsed)}\n`);
    current = null;
  };
  return {
    step(text) {
      done();
      current = { text: sanitizeLine(text), detail: "", since: performance.now() };
      draw();
    },
    detail(text) {
      if (current) current.detail = sanitizeLine(lastLine(text));
    },
    done,
    [Symbol.dispose]() {
      clearInterval(timer);
      if (current) stream.write(CLEAR_LINE);
      current = null;
    },
  };
}
