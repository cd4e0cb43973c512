import { statfsSync } from "node:fs";
import { messageOf, type Recording, type StartRecording } from "../../src/contract/index.ts";
import type { Picture, Viewer } from "../live/cast.ts";
import type { Screen } from "../live/screen.ts";
import { Film } from "./film.ts";
import { vp8Of } from "./matroska.ts";

/** So much is left free for everybody else: the guest's files lie in its memory, bytes. */
const KEEP_FREE_BYTES = 64 * 1024 * 1024;
const MB = 1024 * 1024;
/** So long {@link Recorder.end} waits for a picture of what is there when it is stopped: a browser may stand still, ms. */
const LAST_LOOK_MS = 500;

type EndedBy = NonNullable<Recording["ended_by"]>;

/**
 * Records one tab: takes a picture whenever the page has changed, no more often than asked, and no faster than pictures are encoded
 * (some 40 ms for one of 1280x720, beside everything else). What ends it is told in {@link Recorder.told}.
 */
export class Recorder {
  readonly #film: Film;
  readonly #viewer: Viewer;
  readonly #leave: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onFirst = Promise.withResolvers<void>();
  readonly #onWhole = Promise.withResolvers<void>();
  readonly #onLast = Promise.withResolvers<void>();
  #isLastLook = false;
  #seen: Buffer | null = null;
  #beganAt: number | null = null;
  #takenAt = -Infinity;
  #encoding: Promise<void> | null = null;
  #ended: Promise<void> | null = null;
  #size = { width: 0, height: 0 };
  #endedBy: EndedBy | null = null;
  #error: string | null = null;
  #durationMs = 0;
  #endedAt: number | null = null;
  readonly #startedAt = Date.now();

  constructor(
    readonly id: string,
    readonly path: string,
    private readonly screen: Screen,
    private readonly release: () => void,
    private readonly request: StartRecording,
  ) {
    this.#film = new Film(path, request.format);
    this.#viewer = {
      wanted: { maxWidth: request.max_width, maxHeight: request.max_height, quality: request.quality },
      isReady: () => this.#encoding === null && (this.#isLastLook || (this.#waitMs() <= 0 && this.#ended === null)),
      show: (picture) => {
        const isLast = this.#isLastLook;
        this.#isLastLook = false;
        this.#takenAt = performance.now();
        this.#encoding = this.#take(picture, isLast).finally(() => (isLast ? this.#onLast.resolve() : this.#taken()));
      },
    };
    this.#timer = setTimeout(() => void this.end("max_seconds"), request.max_seconds * 1_000);
    void screen.gone.then((gone) => this.end("tab_closed", gone === "browser_gone" ? "Chromium ended" : null));
    this.#leave = screen.cast.join(this.#viewer);
  }

  /** Resolves with the first picture, or the end. */
  get first(): Promise<void> {
    return this.#onFirst.promise;
  }
  /** Resolves when it has ended and its file is whole. */
  get whole(): Promise<void> {
    return this.#onWhole.promise;
  }

  get tab(): string {
    return this.screen.tab;
  }

  get told(): Recording {
    return {
      id: this.id,
      tab: this.tab,
      format: this.request.format,
      state: this.#endedBy === null ? "recording" : "finished",
      ended_by: this.#endedBy,
      error: this.#error,
      ...this.#size,
      frames: this.#film.frames,
      bytes: this.#film.bytes,
      duration_ms: Math.round(this.#endedBy === null ? this.#nowMs() : this.#durationMs),
      started_at: this.#startedAt,
      ended_at: this.#endedAt,
    };
  }

  /** Resolves when the file is whole. Only the first reason counts. */
  end(by: EndedBy, error: string | null = null): Promise<void> {
    return (this.#ended ??= this.#end(by, error));
  }

  async #end(by: EndedBy, error: string | null): Promise<void> {
    clearTimeout(this.#timer);
    this.#durationMs = this.#nowMs();
    await this.#encoding;
    if (by === "stop") await this.#lookOnceMore();
    this.#leave();
    this.release();
    this.#film.close(this.#durationMs);
    this.#endedBy = by;
    this.#error = error;
    this.#endedAt = Date.now();
    this.#onFirst.resolve();
    this.#onWhole.resolve();
  }

  /** What the page shows when the film is stopped is in it, also where that picture is still on its way. */
  async #lookOnceMore(): Promise<void> {
    this.#isLastLook = true;
    this.screen.cast.renew();
    await Promise.race([this.#onLast.promise, this.screen.gone, Bun.sleep(LAST_LOOK_MS)]);
    this.#isLastLook = false;
    await this.#encoding;
  }

  async #take({ jpeg, at }: Picture, isLast: boolean): Promise<void> {
    try {
      if (isLast && this.#seen?.equals(jpeg)) return;
      this.#seen = jpeg;
      const { width, height } = await new Bun.Image(jpeg).metadata();
      const quality = this.request.quality;
      const picture =
        this.request.format === "webm" ? vp8Of(Buffer.from(await new Bun.Image(jpeg).webp({ quality }).bytes())) : jpeg;
      if (this.#film.bytes + picture.length > this.request.max_mb * MB) return void this.end("max_mb");
      const { bavail, bsize } = statfsSync(this.path);
      if (bavail * bsize < KEEP_FREE_BYTES + picture.length)
        return void this.end("disk_full", `only ${bavail * bsize} bytes are free in the guest`);
      this.#beganAt ??= at;
      this.#film.add(picture, { width, height }, at - this.#beganAt);
      if (isLast) this.#durationMs = at - this.#beganAt + 1_000 / this.request.fps;
      if (this.#film.frames === 1) this.#size = { width, height };
      this.#onFirst.resolve();
    } catch (thrown) {
      const isFull = (thrown as NodeJS.ErrnoException).code === "ENOSPC";
      void this.end(isFull ? "disk_full" : "failed", messageOf(thrown));
    }
  }

  #taken(): void {
    this.#encoding = null;
    const wake = () => this.#ended === null && this.screen.cast.wake();
    const waitMs = this.#waitMs();
    if (waitMs <= 0) wake();
    else setTimeout(wake, Math.ceil(waitMs));
  }

  #waitMs(): number {
    return this.#takenAt + 1_000 / this.request.fps - performance.now();
  }

  #nowMs(): number {
    return this.#beganAt === null ? 0 : performance.now() - this.#beganAt;
  }
}
