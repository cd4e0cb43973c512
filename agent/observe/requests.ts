import type { Protocol } from "devtools-protocol";
import type { RequestEntry } from "../../src/contract/index.ts";
import type { Connection } from "../cdp/connection.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import type { Journal } from "./ring.ts";

type Draft = Omit<RequestEntry, "seq">;
/** A request under way, and later what its bodies are asked by. */
export type Tracked = {
  entry: Draft;
  target: OverlayTarget;
  requestId: string;
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
/** Requests under way at once, beyond which the oldest are given up. */
const MAX_OPEN = 5_000;

/** Follows requests from their first word to their last. */
export class Requests {
  #open = new Map<string, Tracked>(); // session and request
  #extra = new Map<string, Protocol.Network.Headers>(); // headers that came before the request they belong to
  #ended = new Map<string, Tracked>(); // by entry's id

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
      if (!tracked || tracked.hasWireHeaders) return void bounded(this.#extra, MAX_OPEN).set(key, headers);
      tracked.hasWireHeaders = true;
      tracked.entry.request_headers = headersOf(headers);
    });
    on("Network.responseReceived", (key, event: Protocol.Network.ResponseReceivedEvent) => {
      const tracked = this.#open.get(key);
      if (!tracked) return;
      tracked.answeredAt = event.timestamp;
      this.#answered(tracked, event.response, event.type);
    });
    on("Network.responseReceivedExtraInfo", (key, event: Protocol.Network.ResponseReceivedExtraInfoEvent) => {
      const tracked = this.#open.get(key);
      if (tracked) tracked.entry.response_headers = headersOf(event.headers);
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
  tracked(id: string): Tracked | undefined {
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
      this.#end(key, timestamp, { state: "finished", redirected_to: request.url.slice(0, MAX_URL), encoded_bytes });
    }
    const wire = this.#extra.get(key);
    this.#extra.delete(key);
    const entry: Draft = {
      id: this.journal.id("q"),
      tab: target.tab,
      time: wallTime * 1000,
      kind: "request",
      state: "pending",
      method: request.method,
      url: (request.url + (request.urlFragment ?? "")).slice(0, MAX_URL),
      resource_type: type.toLowerCase(),
      document_url: documentURL.slice(0, 2_048),
      status: null,
      status_text: "",
      mime_type: "",
      protocol: "",
      remote_address: null,
      from_cache: false,
      from_service_worker: false,
      redirected_to: null,
      error: null,
      request_headers: headersOf(wire ?? request.headers),
      response_headers: [],
      has_request_body: request.hasPostData === true,
      encoded_bytes: 0,
      body_bytes: 0,
      duration_ms: null,
      timing: null,
    };
    const { requestId, loaderId } = event;
    const isMain = type === "Document" && event.frameId === target.targetId;
    if (this.#open.size >= MAX_OPEN)
      this.#end(this.#open.keys().next().value!, null, {
        state: "failed",
        error: "not followed further: too many at once",
      });
    const hasWireHeaders = wire !== undefined;
    const times = { startedAt: timestamp, answeredAt: timestamp, timing: undefined };
    this.#open.set(key, { entry, target, requestId, loaderId, isMain, hasWireHeaders, ...times });
    this.#record(entry);
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
    const { entry, startedAt, timing } = tracked;
    const duration_ms = timestamp === null ? null : Math.max(0, (timestamp - startedAt) * 1000);
    // A new object: entries that were told are not changed under their reader.
    tracked.entry = { ...entry, ...change, duration_ms, timing: phasesOf(startedAt, duration_ms, timing) };
    bounded(this.#ended, MAX_ENDED).set(entry.id, tracked);
    this.#record(tracked.entry);
  }

  #record(entry: Draft): void {
    const headers = [...entry.request_headers, ...entry.response_headers];
    const bytes = headers.reduce((sum, { name, value }) => sum + name.length + value.length, entry.url.length + 500);
    this.journal.record({ ...entry }, bytes);
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

/** Chromium joins headers of one name by line breaks. */
const headersOf = (headers: Protocol.Network.Headers) =>
  Object.entries(headers).flatMap(([name, value]) =>
    String(value)
      .split("\n")
      .map((part) => ({ name, value: part })),
  );

function bounded<K, V>(map: Map<K, V>, max: number): Map<K, V> {
  if (map.size >= max) map.delete(map.keys().next().value!);
  return map;
}
