import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { block, clusterHead, type Cue, cues, fileHead, segmentHead } from "./matroska.ts";

/** A player seeks to the beginning of a cluster. Well below the 32 seconds that the times of its blocks allow. */
const CLUSTER_MS = 5_000;

/**
 * A film in a file: pictures, each shown until the next, however long that is. Whatever happens on the way, what was written until
 * then can be played once {@link Film.close} was called; its length and its index are written only then.
 */
export class Film {
  readonly #file: number;
  #at = 0;
  #segmentAt = 0;
  #size: { width: number; height: number } | null = null;
  #cues: Cue[] = [];
  #cluster: { at: number; timeMs: number; blocksAt: number } | null = null;
  #last: { picture: Uint8Array; timeMs: number } | null = null;
  frames = 0;

  constructor(
    path: string,
    private readonly format: "webm" | "mkv",
  ) {
    this.#file = openSync(path, "wx+", 0o600);
  }

  get bytes(): number {
    return this.#at;
  }

  /**
   * @param timeMs since the film's beginning; of two pictures of the same millisecond the second counts one more
   * @throws the system's error, ENOSPC above all; the film is then as it was before
   */
  add(picture: Uint8Array, size: { width: number; height: number }, timeMs: number): void {
    const at = this.#last ? Math.max(Math.round(timeMs), this.#last.timeMs + 1) : 0;
    const before = this.#at;
    try {
      if (!this.#size) {
        this.#size = size;
        this.#put(fileHead(this.format, 0));
        this.#segmentAt = this.#at;
        this.#put(segmentHead(this.format, size, 0, 0));
      }
      if (!this.#cluster || at - this.#cluster.timeMs > CLUSTER_MS) this.#begin(at);
      this.#put(block(at - this.#cluster!.timeMs, picture));
    } catch (thrown) {
      this.#at = before;
      if (this.#cluster && this.#cluster.at >= before) this.#cluster = null;
      this.#cues = this.#cues.filter(({ clusterAt }) => clusterAt + this.#segmentAt < before);
      if (before === 0) this.#size = null;
      ftruncateSync(this.#file, before);
      throw thrown;
    }
    this.#last = { picture, timeMs: at };
    this.frames += 1;
  }

  /** Ends the film at that time: the last picture is shown until then. Never throws: what there is room for is written. */
  close(timeMs: number): void {
    try {
      const { picture, timeMs: lastMs } = this.#last ?? {};
      const endMs = Math.max(Math.round(timeMs), (lastMs ?? 0) + 1);
      try {
        // Players show a last picture for no time at all.
        if (picture && this.#size) this.add(picture, this.#size, endMs);
      } catch {
        // no room for it
      }
      if (!this.#size) return;
      this.#end();
      const cuesAt = this.#at;
      try {
        this.#put(cues(this.#cues));
      } catch {
        this.#at = cuesAt; // seeking takes longer without
        ftruncateSync(this.#file, cuesAt);
      }
      const head = fileHead(this.format, this.#at - this.#segmentAt);
      writeSync(this.#file, head, 0, head.length, 0);
      const segment = segmentHead(this.format, this.#size, endMs, cuesAt - this.#segmentAt);
      writeSync(this.#file, segment, 0, segment.length, this.#segmentAt);
    } finally {
      closeSync(this.#file);
    }
  }

  #begin(timeMs: number): void {
    this.#end();
    const at = this.#at;
    this.#put(clusterHead(timeMs, 0));
    this.#cluster = { at, timeMs, blocksAt: this.#at };
    this.#cues.push({ timeMs, clusterAt: at - this.#segmentAt });
  }

  #end(): void {
    if (!this.#cluster) return;
    const head = clusterHead(this.#cluster.timeMs, this.#at - this.#cluster.blocksAt);
    writeSync(this.#file, head, 0, head.length, this.#cluster.at);
    this.#cluster = null;
  }

  #put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const written = writeSync(this.#file, bytes, done, bytes.length - done, this.#at);
      done += written;
      this.#at += written;
    }
  }
}
