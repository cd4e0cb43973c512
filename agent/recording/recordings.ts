import { mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type FinishedRecording,
  HypeError,
  type Recording,
  type StartRecording,
  type StopRecording,
} from "../../src/contract/index.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Screens } from "../live/screens.ts";
import { Recorder } from "./recorder.ts";

/** Each encodes its own pictures. */
const MAX_RUNNING = 4;
/** Beyond so many the oldest that ended are forgotten, with their files. */
const MAX_KEPT = 50;

/** Recordings of one browser's tabs, as files that only this process reads. Files without an entry here belong to an agent that is gone. */
export class Recordings {
  #recorders = new Map<string, Recorder>();
  #starting = new Set<string>(); // tabs
  #nextEnd = Promise.withResolvers<void>();

  constructor(
    private readonly browser: Browser,
    private readonly screens: Screens,
    private readonly directory: string,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
  }

  /**
   * Resolves when the first picture was taken.
   * @throws HypeError `recording_conflict` for a tab that is recorded already | `limit_reached` | `tab_not_found` | `guest_disk_full`
   */
  async start(request: StartRecording, signal: AbortSignal): Promise<Recording> {
    const { id: tab } = await this.browser.running.tabs.use(request.tab, signal);
    const running = this.#running();
    const already = running.find((recorder) => recorder.tab === tab);
    if (already || this.#starting.has(tab))
      throw new HypeError("recording_conflict", `tab ${tab} is being recorded${already ? ` by ${already.id}` : ""}`);
    if (running.length + this.#starting.size >= MAX_RUNNING)
      throw new HypeError("limit_reached", `${MAX_RUNNING} recordings run already: stop one of them`);
    this.#starting.add(tab);
    try {
      return await this.#start(tab, request, signal);
    } finally {
      this.#starting.delete(tab);
    }
  }

  /** @throws HypeError `recording_not_found` | `recording_conflict` when none is named and not exactly one runs */
  async stop({ id }: Pick<StopRecording, "id">): Promise<Recording> {
    const recorder = id === undefined ? this.#only() : this.#find(id);
    await recorder.end("stop");
    return recorder.told;
  }

  /** Resolves once it has ended. @throws HypeError `recording_not_found` */
  async ended(id: string, signal: AbortSignal): Promise<Recording> {
    const recorder = this.#find(id);
    await unlessAborted(recorder.whole, signal);
    return recorder.told;
  }

  /** @throws HypeError `recording_not_found` */
  get(id: string): Recording {
    return this.#find(id).told;
  }

  list(): Recording[] {
    return [...this.#recorders.values()].map(({ told }) => told);
  }

  /** Those that have ended and show something. */
  finished(): FinishedRecording[] {
    return this.list()
      .filter(({ state, frames }) => state === "finished" && frames > 0)
      .map(({ id, ended_by }) => ({ id, ended_by }));
  }

  /** Resolves when the next of them has ended. */
  changed(signal: AbortSignal): Promise<void> {
    return unlessAborted(this.#nextEnd.promise, signal);
  }

  /** @throws HypeError `recording_not_found` */
  async delete(id: string): Promise<void> {
    const recorder = this.#find(id);
    await recorder.end("stop");
    this.#forget(recorder);
  }

  /** Opens the file of a finished one, which the caller closes. @throws HypeError `recording_not_found` | `recording_conflict` */
  open(id: string): { file: number; recording: Recording } {
    const { told, path } = this.#find(id);
    if (told.state === "recording")
      throw new HypeError("recording_conflict", `recording ${id} still runs: stop it first`);
    return { file: openSync(path, "r"), recording: told };
  }

  /** Ends all of them; their files are whole then. */
  async end(): Promise<void> {
    await Promise.all(this.#running().map((recorder) => recorder.end("stop")));
  }

  async #start(tab: string, request: StartRecording, signal: AbortSignal): Promise<Recording> {
    const { screen, release } = await this.screens.take(tab);
    const id = crypto.randomUUID();
    let recorder: Recorder;
    try {
      recorder = new Recorder(id, join(this.directory, `${id}.${request.format}`), screen, release, request);
    } catch (thrown) {
      release();
      throw thrown;
    }
    this.#recorders.set(id, recorder);
    void recorder.whole.then(() => {
      this.#nextEnd.resolve();
      this.#nextEnd = Promise.withResolvers();
    });
    const onAbort = () => void recorder.end("failed", "its start was given up");
    signal.addEventListener("abort", onAbort, { once: true });
    await recorder.first;
    signal.removeEventListener("abort", onAbort);
    if (recorder.told.frames === 0) {
      this.#forget(recorder);
      signal.throwIfAborted();
      throw nothingSeen(recorder.told);
    }
    this.#trim();
    return recorder.told;
  }

  #running(): Recorder[] {
    return [...this.#recorders.values()].filter(({ told }) => told.state === "recording");
  }

  #only(): Recorder {
    const running = this.#running();
    if (running.length === 1) return running[0]!;
    throw new HypeError(
      "recording_conflict",
      running.length === 0 ? "no recording runs" : `${running.length} recordings run: name one by its id`,
    );
  }

  #find(id: string): Recorder {
    const recorder = this.#recorders.get(id);
    if (!recorder) throw new HypeError("recording_not_found", `there is no recording ${id}`);
    return recorder;
  }

  #trim(): void {
    if (this.#recorders.size <= MAX_KEPT) return;
    const oldest = [...this.#recorders.values()].find(({ told }) => told.state === "finished");
    if (oldest) this.#forget(oldest);
  }

  #forget({ id, path }: Recorder): void {
    this.#recorders.delete(id);
    rmSync(path, { force: true });
  }
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener("abort", onAbort));
}

/** Why a recording ended before its first picture. */
function nothingSeen({ tab, ended_by, error }: Recording): HypeError {
  if (ended_by === "disk_full") return new HypeError("guest_disk_full", `nothing can be recorded: ${error}`);
  return new HypeError("tab_not_found", `tab ${tab} showed nothing: ${error ?? "it was closed"}`, { tab });
}
