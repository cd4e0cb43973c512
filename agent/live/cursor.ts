import type { LiveMessage } from "../../src/contract/index.ts";
import { askTop } from "./documents.ts";
import type { Screen } from "./screen.ts";

/** Between two looks, and how long a page may take for one, ms: a person who moves sees no more. */
const LOOK_MS = 100;
const PATIENCE_MS = 1_000;
/** CSS Basic User Interface Level 4, section 5.1.1: names alone. */
const NAME = /^[a-z-]{1,20}$/;

type Point = { x: number; y: number };

/** In a world of our own. What stands in frames has the cursor of the frame; behind a picture of the page's own comes the name it gives. */
const look = ({ x, y }: Point) => `(() => {
  let at = document.elementFromPoint(${x}, ${y});
  for (let inner = at; (inner = inner?.shadowRoot?.elementFromPoint(${x}, ${y})) && inner !== at;) at = inner;
  return at ? getComputedStyle(at).cursor.split(",").at(-1).trim() : "auto";
})()`;

/** Tells what the cursor looks like where a person moves it. Nothing waits for it: a page that is busy is asked again later. */
export class CursorShape {
  #at: Point | null = null;
  #told = "default";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;

  constructor(
    private readonly screen: Screen,
    private readonly tell: (message: LiveMessage) => void,
  ) {}

  moved({ x, y }: Point): void {
    this.#at = { x, y };
    if (!this.#isLooking) this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS);
  }

  /** Nobody moves it any more. */
  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = null;
    this.#told = "default";
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    const at = this.#at;
    if (!at || this.screen.dialog) return;
    this.#isLooking = true;
    try {
      const value = await askTop(this.screen, look(at), AbortSignal.timeout(PATIENCE_MS));
      const name = typeof value === "string" && NAME.test(value) ? value : "default";
      const cursor = name === "auto" ? "default" : name;
      if (this.#at === null || cursor === this.#told) return;
      this.#told = cursor;
      this.tell({ type: "cursor", cursor });
    } catch {
      // the document was replaced, or is busy
    } finally {
      this.#isLooking = false;
      if (this.#at !== null && this.#at !== at) this.moved(this.#at);
    }
  }
}
