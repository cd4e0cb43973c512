import type { WebSocketEntry } from "../../src/contract/index.ts";

/** RFC 6455, sections 5.2 and 4.2.2. */
const TEXT = 1;
const BINARY = 2;
const SWITCHING_PROTOCOLS = 101;

export type HarEntry = { startedDateTime: string; [field: string]: unknown };

/**
 * One entry of an archive for each WebSocket, its messages in `_webSocketMessages`, as Chromium's own tools write and read them. Headers of
 * the handshake are not observed; a message that was too long to be kept whole is cut off.
 */
export function socketEntries(entries: WebSocketEntry[]): HarEntry[] {
  return [...Map.groupBy(entries, ({ socket }) => socket).values()].map(harEntry);
}

function harEntry(events: WebSocketEntry[]): HarEntry {
  const { url, time: begin } = events[0]!;
  const messages = events.filter(({ event }) => event === "sent" || event === "received");
  const fault = events.find(({ event }) => event === "error")?.text;
  return {
    startedDateTime: new Date(begin).toISOString(),
    ...{ time: events.at(-1)!.time - begin, timings: { send: 0, wait: 0, receive: events.at(-1)!.time - begin } },
    request: {
      ...{ method: "GET", url, httpVersion: "HTTP/1.1", cookies: [], headers: [], headersSize: -1, bodySize: 0 },
      queryString: URL.canParse(url) ? [...new URL(url).searchParams].map(([name, value]) => ({ name, value })) : [],
    },
    response: {
      status: messages.length > 0 ? SWITCHING_PROTOCOLS : 0,
      ...{ statusText: messages.length > 0 ? "Switching Protocols" : "", httpVersion: "HTTP/1.1" },
      ...{ cookies: [], headers: [], redirectURL: "", headersSize: -1, bodySize: -1 },
      content: { size: 0, mimeType: "x-unknown" },
      ...(fault && { _error: fault }),
    },
    cache: {},
    _resourceType: "websocket",
    _webSocketMessages: messages.map(({ event, time, text, base64 }) => ({
      type: event === "sent" ? "send" : "receive",
      time: time / 1_000,
      opcode: text === null ? BINARY : TEXT,
      data: text ?? base64 ?? "",
    })),
  };
}
