import type { RequestEntry, WebSocketEntry } from "../../src/contract/index.ts";
import { VERSION } from "../../src/contract/version.ts";
import { type HarEntry, socketEntries } from "./har-sockets.ts";

/** What a reader of bodies gives; null when it is gone. */
export type ReadBody = (id: string, of: "request" | "response") => Promise<Buffer | null>;
/** All bodies of one archive together, bytes: an archive is one JSON text. */
const MAX_BODIES = 64 * 1024 * 1024;
const TEXT_TYPE = /^(text\/|application\/(json|javascript|xml|xhtml|.*\+(json|xml)|x-www-form-urlencoded))/i;

/** HTTP Archive 1.2 (w3c.github.io/web-performance/specs/HAR), as browsers' own tools import it. */
export async function toHar(
  { requests, sockets }: { requests: RequestEntry[]; sockets: WebSocketEntry[] },
  browserVersion: string,
  read: ReadBody | null,
): Promise<object> {
  const pages = pagesOf(requests);
  let budget = MAX_BODIES;
  const bounded: ReadBody = async (id, of) => {
    const body = read && budget > 0 ? await read(id, of) : null;
    budget -= body?.length ?? 0;
    return body;
  };
  const entries: HarEntry[] = [];
  for (const request of requests) entries.push(await entryOf(request, pages, bounded));
  entries.push(...socketEntries(sockets));
  entries.sort((one, other) => Date.parse(one.startedDateTime) - Date.parse(other.startedDateTime));
  const [name = "Chromium", version = ""] = browserVersion.split("/");
  return {
    log: {
      version: "1.2",
      creator: { name: "OVERHYPED", version: VERSION },
      browser: { name, version },
      pages: [...pages.values()],
      entries,
    },
  };
}

type Page = {
  id: string;
  startedDateTime: string;
  title: string;
  pageTimings: { onContentLoad: number; onLoad: number };
};

/** A page begins with its document. Its end is not told by the network: -1 says "not known". */
function pagesOf(requests: RequestEntry[]): Map<string, Page> {
  const pages = new Map<string, Page>();
  for (const { tab, resource_type, document_url, url, time } of requests)
    if (resource_type === "document" && withoutFragment(url) === withoutFragment(document_url)) {
      const key = `${tab} ${withoutFragment(url)}`;
      if (!pages.has(key))
        pages.set(key, {
          id: `page_${pages.size + 1}`,
          startedDateTime: new Date(time).toISOString(),
          title: url,
          pageTimings: { onContentLoad: -1, onLoad: -1 },
        });
    }
  return pages;
}

async function entryOf(request: RequestEntry, pages: Map<string, Page>, read: ReadBody): Promise<HarEntry> {
  const page = pages.get(`${request.tab} ${withoutFragment(request.document_url)}`);
  const sent = request.has_request_body ? await read(request.id, "request") : null;
  const received = request.state === "finished" && !request.redirected_to ? await read(request.id, "response") : null;
  const { dns = -1, connect = -1, blocked = -1, ssl = -1, send = 0, wait = 0, receive = 0 } = request.timing ?? {};
  const timings = { blocked, dns, connect, ssl, send, wait, receive };
  // ssl is part of connect (HAR 1.2, timings).
  const time = [blocked, dns, connect, send, wait, receive].reduce((sum, part) => sum + Math.max(0, part), 0);
  return {
    ...(page && { pageref: page.id }),
    startedDateTime: new Date(request.time).toISOString(),
    time,
    request: {
      method: request.method,
      url: request.url,
      httpVersion: versionOf(request.protocol),
      cookies: cookiesOf(valueOf(request.request_headers, "cookie"), ";"),
      headers: request.request_headers,
      queryString: queryOf(request.url),
      ...(sent && {
        postData: {
          mimeType: valueOf(request.request_headers, "content-type"),
          text: sent.toString("utf8"),
          params: [],
        },
      }),
      headersSize: -1,
      bodySize: sent?.length ?? (request.has_request_body ? -1 : 0),
    },
    response: {
      status: request.status ?? 0,
      statusText: request.status_text,
      httpVersion: versionOf(request.protocol),
      cookies: request.response_headers
        .filter(({ name }) => name.toLowerCase() === "set-cookie")
        .flatMap(({ value }) => cookiesOf(value.split(";")[0] ?? "", ";")),
      headers: request.response_headers,
      content: contentOf(request, received),
      redirectURL: request.redirected_to ?? "",
      headersSize: -1,
      bodySize: request.from_cache ? 0 : -1,
      _transferSize: request.encoded_bytes,
      ...(request.error && { _error: request.error }),
    },
    cache: {},
    timings,
    ...(request.remote_address && {
      serverIPAddress: request.remote_address.replace(/:\d*$/, "").replace(/^\[|\]$/g, ""),
    }),
    _resourceType: request.resource_type,
  };
}

function contentOf({ mime_type, body_bytes }: RequestEntry, body: Buffer | null): object {
  const mimeType = mime_type || "x-unknown";
  if (!body) return { size: body_bytes, mimeType };
  const isText = TEXT_TYPE.test(mime_type);
  return isText
    ? { size: body.length, mimeType, text: body.toString("utf8") }
    : { size: body.length, mimeType, text: body.toString("base64"), encoding: "base64" };
}

const withoutFragment = (url: string): string => url.split("#")[0]!;
const versionOf = (protocol: string): string =>
  protocol.toUpperCase().replace(/^H2$/, "HTTP/2.0").replace(/^H3$/, "HTTP/3.0") || "unknown";
const valueOf = (headers: { name: string; value: string }[], wanted: string): string =>
  headers.find(({ name }) => name.toLowerCase() === wanted)?.value ?? "";

const queryOf = (url: string) =>
  URL.canParse(url) ? [...new URL(url).searchParams].map(([name, value]) => ({ name, value })) : [];

const cookiesOf = (text: string, separator: string) =>
  text
    .split(separator)
    .map((pair) => pair.trim())
    .filter(Boolean)
    .map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return { name, value: value.join("=") };
    });
