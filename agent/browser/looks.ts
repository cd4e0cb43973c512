/**
 * After something changed, ms: a page that is loading changes several times, and Chromium 156 often tells of no change when only
 * the title comes later (measured).
 */
const LOOKS_MS = [250, 1_000, 3_000];

/** Looks a few times after a change; changes before the first look are one. */
export function looks(look: () => void): { soon(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFirst = true;
  const lookIn = ([ms, ...later]: readonly number[]) => {
    if (ms === undefined) return void (timer = undefined);
    timer = setTimeout(() => {
      isFirst = false;
      look();
      lookIn(later);
    }, ms);
  };
  return {
    soon() {
      if (timer !== undefined && isFirst) return; // the first look is still to come
      clearTimeout(timer);
      isFirst = true;
      lookIn(LOOKS_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
