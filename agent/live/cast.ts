import type { Events } from "../cdp/connection.ts";
import type { Screen } from "./screen.ts";

/** Chromium sends no further picture while so many are not acknowledged, and loses what comes meanwhile (measured, version 156). */
const MAX_HELD = 3;
/** A picture so young is worth showing even where a newer one may have been lost. */
const FRESH_MS = 25;
/** After acknowledging late: a page that moves has sent its next picture by then, one that stands still must be asked anew. */
const SETTLE_MS = 80;
/**
 * A screencast begins with a picture some 20 ms later, but not where the viewport changes in that moment: then none comes until the page
 * moves (measured, version 156). Asked anew after this time, and after twice as long each time that followed.
 */
const FIRST_MS = 150;
const MAX_FIRST_MS = 5_000;

export type Wanted = { maxWidth: number; maxHeight: number; quality: number };
export type Picture = {
  jpeg: Buffer;
  /** CSS pixels of the viewport. */
  width: number;
  height: number;
  /** When it came, as `performance.now()` has it. */
  at: number;
};
export type Viewer = {
  wanted: Wanted;
  /** Whether it takes a picture now; when that becomes true, {@link Cast.wake} must be called. */
  isReady(): boolean;
  show(picture: Picture): void;
};

/**
 * The screencast of one tab, shared by all that look: as large as the one that wants most. It is on while somebody looks, and runs
 * no faster than the fastest of them takes pictures; each gets the newest when it is ready, never one from a queue.
 */
export class Cast {
  #viewers = new Map<Viewer, Picture | null>(); // the picture it saw last
  #running: Promise<unknown> | null = null;
  #as = "";
  #held: number[] = []; // Chromium's numbers of pictures not acknowledged
  #latest: Picture | null = null;
  #mayHaveMissed = false;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #patienceMs = FIRST_MS;
  #stopListening: () => void;

  constructor(private readonly screen: Screen) {
    this.#stopListening = screen.on("Page.screencastFrame", (event) => this.#arrived(event));
  }

  /** @returns a function that ends it. The first picture comes at once, also of a page that stands still. */
  join(viewer: Viewer): () => void {
    this.#viewers.set(viewer, null);
    this.refresh();
    this.wake();
    return () => {
      if (this.#viewers.delete(viewer)) this.refresh();
    };
  }

  /** To be called when a viewer joined, left, or wants other pictures. */
  refresh(): void {
    const all = [...this.#viewers.keys()].map(({ wanted }) => wanted);
    const as =
      all.length === 0
        ? ""
        : JSON.stringify({
            format: "jpeg",
            quality: Math.max(...all.map(({ quality }) => quality)),
            maxWidth: Math.max(...all.map(({ maxWidth }) => maxWidth)),
            maxHeight: Math.max(...all.map(({ maxHeight }) => maxHeight)),
          });
    if (as === this.#as) return;
    this.#patienceMs = FIRST_MS;
    this.#restart(as);
  }

  /** A viewer has become ready: it gets what is new, or Chromium is asked for more. */
  wake(): void {
    const isStale = this.#mayHaveMissed && this.#latest !== null && performance.now() - this.#latest.at > FRESH_MS;
    if (!isStale) this.#deliver();
    if (![...this.#viewers.keys()].some((viewer) => viewer.isReady())) return;
    this.#acknowledge();
    if (this.#mayHaveMissed) this.#settle ??= setTimeout(() => this.renew(), SETTLE_MS);
  }

  /** A picture of what is there now, whatever came before. */
  renew(): void {
    if (this.#running) this.#restart(this.#as);
  }

  end(): void {
    this.#stopListening();
    clearTimeout(this.#settle);
    this.#running = null;
    this.#viewers.clear();
  }

  #arrived({ data, metadata, sessionId }: Events["Page.screencastFrame"][0]): void {
    let jpeg: Buffer | undefined;
    this.#latest = {
      get jpeg() {
        return (jpeg ??= Buffer.from(data, "base64")); // only for those that are shown
      },
      width: metadata.deviceWidth,
      height: metadata.deviceHeight,
      at: performance.now(),
    };
    this.#held.push(sessionId);
    this.#mayHaveMissed = this.#held.length >= MAX_HELD;
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#patienceMs = FIRST_MS;
    this.#deliver();
  }

  #deliver(): void {
    const picture = this.#latest;
    if (!picture) return;
    for (const [viewer, seen] of this.#viewers) {
      if (seen === picture || !viewer.isReady()) continue;
      this.#viewers.set(viewer, picture);
      viewer.show(picture);
      this.#acknowledge(); // one more in stock
    }
  }

  #acknowledge(): void {
    for (const sessionId of this.#held.splice(0)) this.screen.tell("Page.screencastFrameAck", { sessionId });
  }

  /** Chromium changes nothing of a running screencast; a new one begins with a picture of what is there now. */
  #restart(as: string): void {
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#held = [];
    this.#mayHaveMissed = false;
    if (as !== this.#as) this.#latest = null; // of another size
    if (this.#running) this.screen.tell("Page.stopScreencast", undefined);
    this.#as = as;
    this.#running = as === "" ? null : this.screen.tell("Page.startScreencast", JSON.parse(as));
    if (!this.#running || this.#patienceMs > MAX_FIRST_MS) return;
    this.#settle = setTimeout(() => this.renew(), this.#patienceMs);
    this.#patienceMs *= 2;
  }
}
