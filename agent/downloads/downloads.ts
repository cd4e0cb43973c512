import { chownSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Protocol } from "devtools-protocol";
import { type Download, HypeError, messageOf } from "../../src/contract/index.ts";
import type { Log } from "../../src/log/log.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";
import type { Browser, Running } from "../chromium/supervisor.ts";
import { openDownload, sha256Of } from "./file.ts";

/** Beyond so many the oldest that ended are forgotten, with their files. */
const MAX_KEPT = 2_000;
/** A download of unknown size wanted at least so much more than it had got. */
const SLACK_BYTES = 1024 * 1024;

type Kept = {
  download: Download;
  path: string;
  cancelled: boolean;
  /** Somebody who waited for it was told. */
  told: boolean;
  /** Settles when it is known which tab began it. */
  located: Promise<void>;
};

/**
 * Downloads of one browser: files in a directory that Chromium's own user writes, named by Chromium's own id for them. What a
 * DevTools client keeps elsewhere is listed too. Files without an entry here belong to an agent that is gone.
 */
export class Downloads {
  #kept = new Map<string, Kept>();
  #changed = new Set<() => void>();
  /** Whether a DevTools client that is there set a behaviour of its own for a context. */
  isTaken: (context: string) => boolean = () => false;

  /** @param owner user of Chromium's processes; null: this one */
  constructor(
    private readonly browser: Browser,
    private readonly directory: string,
    private readonly owner: number | null,
    private readonly log: Log,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (owner !== null) chownSync(directory, owner, owner);
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
    browser.subscribe(({ type, ...event }) => {
      if (type === "browser_ready" && browser.runningOrNull) this.#listen(browser.runningOrNull);
      if (type === "browser_died") this.#breakOff("reason" in event ? event.reason : "Chromium died");
    });
  }

  /**
   * A DevTools client that set a place of its own resets it for all when it leaves: ours is set again. A context that is gone is none.
   * @param context an isolated one; default: the browser's own
   */
  claim(context?: string): void {
    this.browser.runningOrNull?.connection
      .send("Browser.setDownloadBehavior", {
        behavior: "allowAndName",
        downloadPath: this.directory,
        eventsEnabled: true,
        ...(context !== undefined && { browserContextId: context }),
      })
      .catch((thrown: unknown) => {
        if (context !== undefined && thrown instanceof CommandRefused) return; // it went with its client
        this.log.warn("downloads are not kept", { why: messageOf(thrown) });
      });
  }

  /** A context that a DevTools client made is ours too, unless a client said what is to become of its downloads. */
  async #claimNew(connection: Connection, context: string): Promise<void> {
    const { browserContextIds } = await connection.send("Target.getBrowserContexts", undefined);
    if (browserContextIds.includes(context) && !this.isTaken(context)) this.claim(context);
  }

  list(): Download[] {
    return [...this.#kept.values()].map(({ download }) => download);
  }

  /** @throws HypeError `download_not_found` */
  get(id: string): Download {
    return this.#find(id).download;
  }

  /** Resolves at the next change of any of them. */
  changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#changed.add(resolve);
    return promise.finally(() => {
      this.#changed.delete(resolve);
      signal.removeEventListener("abort", onAbort);
    });
  }

  /** The oldest of those meant that nobody who waited was told of. */
  untold(isMeant: (download: Download) => boolean): Download | undefined {
    for (const { download, told } of this.#kept.values()) if (!told && isMeant(download)) return download;
    return undefined;
  }

  tell(id: string): void {
    this.#find(id).told = true;
  }

  /** Resolves once it is no longer in progress. @throws HypeError `download_not_found` */
  async ended(id: string, signal: AbortSignal): Promise<Download> {
    while (this.get(id).state === "in_progress") await this.changed(signal);
    return this.get(id);
  }

  /** @throws HypeError `download_not_found`; nothing to do for one that ended */
  async cancel(id: string, signal: AbortSignal): Promise<Download> {
    const kept = this.#find(id);
    if (kept.download.state !== "in_progress") return kept.download;
    kept.cancelled = true;
    await this.browser.running.connection.send("Browser.cancelDownload", { guid: id }, { signal });
    return this.ended(id, signal);
  }

  /** @throws HypeError `download_not_found` */
  async delete(id: string, signal: AbortSignal): Promise<void> {
    await this.cancel(id, signal);
    this.#forget(id);
  }

  /** Opens its file, which the caller closes. @throws HypeError `download_not_found` | `download_gone` */
  open(id: string): number {
    return openDownload(this.#find(id).path, this.owner);
  }

  #listen({ connection, tabs }: Running): void {
    const seen = new Set<string>();
    tabs.onContext = (context) => {
      seen.add(context);
      this.claim(context);
    };
    connection.on("Target.targetCreated", ({ targetInfo: { browserContextId: context } }) => {
      if (context === undefined || seen.has(context)) return;
      seen.add(context);
      this.#claimNew(connection, context).catch(() => {}); // the browser went away
    });
    connection.on("Browser.downloadWillBegin", (event) => this.#begun(connection, event));
    connection.on("Browser.downloadProgress", (event) => {
      this.#progressed(event).catch((cause: unknown) => this.log.error("a download was not followed", { cause }));
    });
    this.claim();
  }

  #begun(connection: Connection, event: Protocol.Browser.DownloadWillBeginEvent): void {
    const { guid, url, suggestedFilename, frameId } = event;
    const name = basename(suggestedFilename).slice(0, 255) || "download";
    const download: Download = {
      id: guid,
      tab: null,
      url: url.slice(0, 65_536),
      name,
      type: Bun.file(name).type.split(";")[0] || "application/octet-stream",
      state: "in_progress",
      error: null,
      total_bytes: null,
      received_bytes: 0,
      sha256: null,
      by_client: false,
      started_at: Date.now(),
      ended_at: null,
    };
    const located = connection.send("Target.getTargets", {}).then(
      ({ targetInfos }) => {
        if (targetInfos.some(({ targetId }) => targetId === frameId)) this.#change(guid, { tab: frameId });
      },
      () => {}, // the browser went away
    );
    this.#kept.set(guid, {
      download,
      path: join(this.directory, basename(guid)),
      cancelled: false,
      told: false,
      located,
    });
    this.#trim();
    this.#tell();
  }

  async #progressed(event: Protocol.Browser.DownloadProgressEvent): Promise<void> {
    const { guid, totalBytes, receivedBytes, state, filePath } = event;
    const kept = this.#kept.get(guid);
    if (!kept || kept.download.state !== "in_progress") return;
    this.#change(guid, { received_bytes: receivedBytes, total_bytes: totalBytes > 0 ? totalBytes : null });
    if (state === "inProgress") return;
    await kept.located;
    if (this.#kept.get(guid)?.download.state !== "in_progress") return; // Chromium died, or it was deleted
    const ended_at = Date.now();
    if (state === "canceled") {
      this.#change(
        guid,
        kept.cancelled ? { state: "canceled", ended_at } : { ...(await this.#whyBroken(kept.download)), ended_at },
      );
      return;
    }
    if (filePath !== undefined && filePath !== kept.path) {
      kept.path = filePath; // a client's place; file.ts looks whose file it is before a byte is read
      this.#change(guid, { by_client: true });
    }
    try {
      const sha256 = await sha256Of(this.open(guid));
      this.#change(guid, { state: "completed", sha256, total_bytes: receivedBytes, ended_at });
    } catch (thrown) {
      this.#change(guid, { state: "failed", error: `its file cannot be read: ${messageOf(thrown)}`, ended_at });
    }
  }

  /** Chromium says only that it is over, and has removed what there was of it. */
  async #whyBroken({ total_bytes, received_bytes }: Download): Promise<Pick<Download, "state" | "error">> {
    const { bavail, bsize } = await statfs(this.directory);
    const free = bavail * bsize;
    const needed = Math.max(total_bytes ?? 0, received_bytes + SLACK_BYTES);
    return free < needed
      ? { state: "failed", error: `the guest's disk is full: ${free} bytes are free, it needs ${needed}` }
      : {
          state: "failed",
          error: "it broke off: the connection was lost, or a DevTools client denied or cancelled it",
        };
  }

  #breakOff(reason: string): void {
    const why = `Chromium died: ${reason.split("\n")[0]}`;
    for (const [id, { download }] of this.#kept)
      if (download.state === "in_progress") this.#change(id, { state: "failed", error: why, ended_at: Date.now() });
  }

  #change(id: string, change: Partial<Download>): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    kept.download = { ...kept.download, ...change };
    this.#tell();
  }

  #find(id: string): Kept {
    const kept = this.#kept.get(id);
    if (!kept) throw new HypeError("download_not_found", `there is no download ${id}`);
    return kept;
  }

  #trim(): void {
    if (this.#kept.size <= MAX_KEPT) return;
    const oldest = [...this.#kept].find(([, { download }]) => download.state !== "in_progress");
    if (oldest) this.#forget(oldest[0]);
  }

  /** Only files of our own place are removed, by their ids. */
  #forget(id: string): void {
    this.#kept.delete(id);
    for (const name of [id, `${id}.crdownload`]) rmSync(join(this.directory, basename(name)), { force: true });
    this.#tell();
  }

  #tell(): void {
    const waiting = [...this.#changed];
    this.#changed.clear();
    for (const resolve of waiting) resolve();
  }
}
