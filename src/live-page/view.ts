import type { ControlCommand, WatchCommand } from "../contract/index.ts";
import { element } from "./element.ts";

const stage = element("stage");
const fit = element<HTMLButtonElement>("fit");
/** A window that is being dragged larger asks once it rests, milliseconds. */
const REST_MS = 150;

const within = (pixels: number): number => Math.min(4096, Math.max(50, Math.round(pixels)));
const stageSize = (scale = 1) => ({
  width: within(stage.clientWidth * scale),
  height: within(stage.clientHeight * scale),
});

/** What this window can show: sent when it is opened, and whenever it changes. */
export function watchCommand(tab: string | null): WatchCommand {
  const { width, height } = stageSize(devicePixelRatio);
  return { type: "watch", ...(tab === null ? {} : { tab }), max_width: width, max_height: height, quality: 70 };
}

export const isMatching = (): boolean => fit.getAttribute("aria-pressed") === "true";
export const stopMatching = (): void => fit.setAttribute("aria-pressed", "false");

/** @param changed the window has another size now */
export function watchView(changed: () => void, send: (command: ControlCommand) => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const match = () => send({ type: "resize", size: isMatching() ? stageSize() : null });
  new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      changed();
      if (isMatching()) match();
    }, REST_MS);
  }).observe(stage);
  fit.addEventListener("click", () => {
    fit.setAttribute("aria-pressed", String(!isMatching()));
    match();
  });
}
