import type { Protocol } from "devtools-protocol";
import type { RequestEntry } from "../../src/contract/index.ts";
import type { Connection } from "../cdp/connection.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import { EarlyHeaders, headersOf } from "./headers.ts";
import type { Journal } from "./journal.ts";
import { bytesOf, clipped } from "./ring.ts";

type Draft = Omit<RequestEntry, "seq">;
/** What a request's bodies are asked by. */
export type Ended = { target: OverlayTarget; requestId: string };
/** A request under way. */
type Tracked = Ended & {
  entry: Draft;
  /** What its entry takes in memory, about. */
  bytes: number;
  /** Seconds of Chromium's own clock. */
  startedAt: number;
  timing: Protocol.Network.ResourceTiming | undefined;
  hasWireHeaders: boolean;
  loaderId: string;
  /** It is the tab's own document, not a frame's. */
  isMain: boolean;
  /** When the answer began, on the same clock. */
  answeredAt: number;
};
type Find = (sessionId: string | undefined) => OverlayTarget | undefined;

const MAX_URL = 65_536;
/** Ended requests whose bodies may still be asked for. */
const MAX_ENDED = 10_000;
/** Requests under way at once, and what they take in memory, beyond which the oldest are given up. */
const MAX_OPEN = 5_000;
const MAX_OPEN_BYTES = 8 * 1024 * 1024;

/** Follows requests from their first word to their last. */
export class Requests {
  #open = new Map<string, Tracked>(); // session and request
  #openBytes = 0;
  readonly #early = new EarlyHeaders();
  #ended = new Map<string, Ended>(); // by entry's id

  constructor(private readonly journal: Journal) {}

  /** @param isObserved whether requests of that target are wanted */
  listen(connection: Connection, find: Find, isObserved: (target: OverlayTarget) => boolean): void {
    const on = <E extends Parameters<Connection["on"]>[0], P extends { requestId: string }>(
      event: E,
      act: (key: string, event: P, target: OverlayTarget) => void,
    ) =>
      connection.on(event, (params, sessionId) => {
        const target = find(sessionId);
        if (target && isObserved(target)) act(`${sessionId} ${(params as P).requestId}`, params as P, target);
      });
    on("Network.requestWillBeSent", (key, event: Protocol.Network.RequestWillBeSentEvent, target) =>
      this.#begun(key, event, target),
    );
    on("Network.requestWillBeSentExtraInfo", (key, { headers }: Protocol.Network.RequestWillBeSentExtraInfoEvent) => {
      const tracked = this.#open.get(key);
      // A second time: they are those of the redirect that is about to be told.
      if (!tracked || tracked.hasWireHeaders) return this.#early.keep(key, headersOf(headers));
      tracked.hasWireHeaders = true;
      tracked.entry.request_headers = headersOf(headers);
      this.#weigh(tracked);
    });
    on("Network.responseReceived", (key, event: Protocol.Network.ResponseReceivedEvent) => {
      const tracked = this.#open.get(key);
      if (!tracked) return;
      tracked.answeredAt = event.timestamp;
      this.#answered(tracked, event.response, event.type);
      this.#weigh(tracked);
    });
    on("Network.responseReceivedExtraInfo", (key, event: Protocol.Network.ResponseReceivedExtraInfoEvent) => {
      const tracked = this.#open.get(key);
      if (!tracked) return;
      tracked.entry.response_headers = headersOf(event.headers);
      this.#weigh(tracked);
    });
    on("Network.dataReceived", (key, { dataLength }: Protocol.Network.DataReceivedEvent) => {
      const tracked = this.#open.get(key);
      if (tracked) tracked.entry.body_bytes += dataLength;
    });
    on("Network.loadingFinished", (key, { timestamp, encodedDataLength }: Protocol.Network.LoadingFinishedEvent) => {
      const tracked = this.#open.get(key);
      this.#end(key, timestamp, { state: "finished", encoded_bytes: Math.max(0, encodedDataLength) });
      if (tracked?.isMain) this.#leftBehind(tracked);
    });
    on("Network.loadingFailed", (key, { timestamp, errorText, blockedReason }: Protocol.Network.LoadingFailedEvent) =>
      this.#end(key, timestamp, {
        state: "failed",
        error: blockedReason ? `${errorText} (${blockedReason})` : errorText,
      }),
    );
  }

  /** By the id of its entry. */
  tracked(id: string): Ended | undefined {
    return this.#ended.get(id) ?? [...this.#open.values()].find(({ entry }) => entry.id === id);
  }

  /** What was under way in a target that is gone will not end otherwise. */
  forget(target: OverlayTarget): void {
    for (const [key, tracked] of this.#open)
      if (tracked.target === target) this.#end(key, null, { state: "failed", error: "the page or worker went away" });
    for (const [id, tracked] of this.#ended) if (tracked.target === target) this.#ended.delete(id);
  }

  /** A page that gave way to another renderer's says nothing of what it still waited for. */
  #leftBehind(page: Tracked): void {
    if (page.entry.status === 204 || page.entry.status === 205) return; // the old page stays
    for (const [key, { target, loaderId, startedAt }] of this.#open)
      if (target === page.target && loaderId !== page.loaderId && startedAt < page.answeredAt)
        this.#end(key, null, { state: "failed", error: "the page was left" });
  }

  #begun(key: string, event: Protocol.Network.RequestWillBeSentEvent, target: OverlayTarget): void {
    const { request, redirectResponse, timestamp, wallTime, documentURL, type = "Other" } = event;
    const before = this.#open.get(key);
    if (before && redirectResponse) {
      this.#answered(before, redirectResponse, type);
      const encoded_bytes = Math.max(0, redirectResponse.encodedDataLength);
      this.#end(key, timestamp, { state: "finished", redirected_to: clipped(request.url, MAX_URL), encoded_bytes });
    }
    const wire = this.#early.take(key);
    const entry: Draft = {
      id: this.journal.id("q"),
      tab: target.tab,
      time: wallTime * 1000,
      kind: "request",
      state: "pending",
      method: request.method,
      url: clipped(request.url + (request.urlFragment ?? ""), MAX_URL),
      resource_type: type.toLowerCase(),
      document_url: clipped(documentURL, 2_048),
      status: null,
      status_text: "",
      mime_type: "",
      protocol: "",
      remote_address: null,
      from_cache: false,
      from_service_worker: false,
      redirected_to: null,
      error: null,
      request_headers: wire ?? headersOf(request.headers),
      response_headers: [],
      has_request_body: request.hasPostData === true,
      encoded_bytes: 0,
      body_bytes: 0,
      duration_ms: null,
      timing: null,
    };
    const { requestId, loaderId } = event;
    const isMain = type === "Document" && event.frameId === target.targetId;
    const hasWireHeaders = wire !== undefined;
    const times = { startedAt: timestamp, answeredAt: timestamp, timing: undefined };
    const tracked = { entry, target, requestId, loaderId, isMain, hasWireHeaders, bytes: 0, ...times };
    this.#open.set(key, tracked);
    this.journal.record({ ...entry });
    this.#weigh(tracked);
  }

  #answered(tracked: Tracked, response: Protocol.Network.Response, type: string): void {
    tracked.timing = response.timing;
    Object.assign(tracked.entry, {
      status: response.status,
      status_text: response.statusText,
      mime_type: response.mimeType,
      protocol: response.protocol ?? "",
      remote_address: response.remoteIPAddress ? `${response.remoteIPAddress}:${response.remotePort ?? ""}` : null,
      from_cache: response.fromDiskCache === true || response.fromPrefetchCache === true,
      from_service_worker: response.fromServiceWorker === true,
      resource_type: type.toLowerCase(),
      ...(tracked.entry.response_headers.length === 0 && { response_headers: headersOf(response.headers) }),
    } satisfies Partial<Draft>);
  }

  #end(key: string, timestamp: number | null, change: Partial<Draft>): void {
    const tracked = this.#open.get(key);
    if (!tracked) return;
    this.#open.delete(key);
    this.#openBytes -= tracked.bytes;
    const { entry, startedAt, timing, target, requestId } = tracked;
    const duration_ms = timestamp === null ? null : Math.max(0, (timestamp - startedAt) * 1000);
    // A new object: entries that were told are not changed under their reader.
    this.journal.record({ ...entry, ...change, duration_ms, timing: phasesOf(startedAt, duration_ms, timing) });
    if (this.#ended.size >= MAX_ENDED) this.#ended.delete(this.#ended.keys().next().value!);
    this.#ended.set(entry.id, { target, requestId });
  }

  /** What is under way stays within its bounds, too: a page may ask for much that never ends. */
  #weigh(tracked: Tracked): void {
    const before = tracked.bytes;
    tracked.bytes = bytesOf(tracked.entry);
    this.#openBytes += tracked.bytes - before;
    while (this.#open.size > MAX_OPEN || (this.#openBytes > MAX_OPEN_BYTES && this.#open.size > 1))
      this.#end(this.#open.keys().next().value!, null, {
        state: "failed",
        error: "not followed further: too many at once",
      });
  }
}

/** HAR's phases out of Chromium's clock readings (Network.ResourceTiming: ms after requestTime, -1 where there was none). */
function phasesOf(
  startedAt: number,
  durationMs: number | null,
  timing: Protocol.Network.ResourceTiming | undefined,
): Record<string, number> | null {
  if (durationMs === null) return null;
  if (!timing) return { blocked: -1, dns: -1, connect: -1, ssl: -1, send: 0, wait: durationMs, receive: 0 };
  const phase = (from: number, to: number) => (from < 0 || to < 0 ? -1 : Math.max(0, to - from));
  const queued = Math.max(0, (timing.requestTime - startedAt) * 1000);
  const first = [timing.dnsStart, timing.connectStart, timing.sendStart].find((start) => start >= 0) ?? 0;
  return {
    blocked: queued + Math.max(0, first),
    dns: phase(timing.dnsStart, timing.dnsEnd),
    connect: phase(timing.connectStart, timing.connectEnd),
    ssl: phase(timing.sslStart, timing.sslEnd),
    send: Math.max(0, phase(timing.sendStart, timing.sendEnd)),
    wait: Math.max(0, phase(timing.sendEnd, timing.receiveHeadersEnd)),
    receive: Math.max(0, durationMs - queued - Math.max(0, timing.receiveHeadersEnd)),
  };
}
