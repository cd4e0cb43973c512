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

/**
 * At times a screencast stops without a word: the page changes, and no picture comes until it is begun anew (seen with 156). So one that
 * stands still is asked for a picture after this time, and after twice as long each time that showed nothing new.
 */
const QUIET_MS = 1_000;
const MAX_QUIET_MS = 8_000;
/** The same once something was done to the page. */
const EXPECTED_MS = 300;
/** A picture that comes later is no answer to that question. */
const ANSWER_MS = 500;

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
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #quietMs = QUIET_MS;
  /** The newest picture as it came, to know it again. */
  #data = "";
  /** When it was asked for a picture that may show nothing new. */
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Its renderer died: a screencast that is begun now would show nothing of the next one either (measured, version 156). */
  #isDead = false;
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
    if (!this.#isWanted) return;
    this.#acknowledge();
    if (this.#mayHaveMissed) this.#settle ??= setTimeout(() => this.renew(), SETTLE_MS);
  }

  /** A picture of what is there now, whatever came before. */
  renew(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
    if (this.#running) this.#restart(this.#as);
  }

  /** The tab's renderer died, or there is a new one. */
  noteRenderer(isAlive: boolean): void {
    this.#isDead = !isAlive;
    if (isAlive) this.renew();
  }

  /** Something was done to the page that may change it. */
  expect(): void {
    this.#quietMs = QUIET_MS;
    if (this.#running) this.#askAfter(EXPECTED_MS);
  }

  end(): void {
    this.#stopListening();
    clearTimeout(this.#settle);
    clearTimeout(this.#quiet);
    this.#running = null;
    this.#viewers.clear();
  }

  #arrived({ data, metadata, sessionId }: Events["Page.screencastFrame"][0]): void {
    const isAnswer = performance.now() - this.#askedAt < ANSWER_MS;
    if (this.#latest && isAnswer && data === this.#data) {
      this.#latest.at = performance.now();
      this.#quietMs = Math.min(2 * this.#quietMs, MAX_QUIET_MS);
    } else {
      let jpeg: Buffer | undefined;
      this.#latest = {
        get jpeg() {
          return (jpeg ??= Buffer.from(data, "base64")); // only for those that are shown
        },
        width: metadata.deviceWidth,
        height: metadata.deviceHeight,
        at: performance.now(),
      };
      this.#data = data;
      this.#quietMs = QUIET_MS;
    }
    this.#askedAt = Number.NEGATIVE_INFINITY;
    this.#askAfter(this.#quietMs);
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

  /** Whether somebody takes a picture now. */
  get #isWanted(): boolean {
    return [...this.#viewers.keys()].some((viewer) => viewer.isReady());
  }

  /** Asks for a picture unless one came by then. */
  #askAfter(ms: number): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      if (this.#isDead || !this.#isWanted) return this.#askAfter(this.#quietMs);
      this.renew();
      this.#askedAt = performance.now();
    }, ms);
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
    clearTimeout(this.#quiet);
    if (!this.#running) return;
    if (this.#patienceMs > MAX_FIRST_MS) return this.#askAfter(MAX_QUIET_MS);
    this.#settle = setTimeout(() => this.renew(), this.#patienceMs);
    this.#patienceMs *= 2;
  }
}
