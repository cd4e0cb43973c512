import { type IncomingMessage, request } from "node:http";
import { HypeError, messageOf } from "../../src/contract/index.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Call, Reply } from "./http.ts";
import type { Routes } from "./door.ts";

const TIMEOUT_MS = 15_000;

/**
 * Chromium's discovery documents (`/json/version`, `/json/list`, …), asked for on loopback; the addresses in them name the door
 * as the caller knows it.
 */
export function cdpJsonRoutes(browser: Browser): Routes {
  const forward = (call: Call) => ask(browser.running.chromium.devtools, call);
  return { "GET /json": forward, "GET /json/*": forward, "PUT /json/*": forward };
}

async function ask(devtools: URL, { method, url, host, signal }: Call): Promise<Reply> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const { status, type, body } = await fetchDevtools(devtools, method, url.pathname + url.search, within);
  if (status === 404) throw new HypeError("tab_not_found", body.trim() || `there is no ${url.pathname}`);
  if (status !== 200) throw new HypeError("invalid_request", `Chromium answers ${status}: ${body.slice(0, 1024)}`);
  // Chromium calls everything JSON, its plain sentences ("Target is closing") too.
  const document = /^\s*[[{]/.test(body) ? JSON.parse(body) : null;
  if (document === null || url.pathname === "/json/protocol") return { type, body };
  return { type, body: JSON.stringify(pointTo(host, devtools.host, document), null, 2) };
}

/** node:http because fetch would ask an HTTP_PROXY, even for loopback. @throws HypeError `browser_unavailable` */
async function fetchDevtools(devtools: URL, method: string, path: string, signal: AbortSignal) {
  try {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ host: devtools.hostname, port: devtools.port, method, path, signal }, resolve).on("error", reject).end();
    const response = await promise;
    response.setEncoding("utf8");
    let body = "";
    for await (const chunk of response as AsyncIterable<string>) body += chunk;
    return { status: response.statusCode, type: response.headers["content-type"] ?? "text/plain", body };
  } catch (thrown) {
    throw new HypeError("browser_unavailable", `Chromium does not answer: ${messageOf(thrown)}`, {}, { cause: thrown });
  }
}

/** Only these two fields hold addresses of the door; titles and page addresses are left as they are. */
function pointTo(door: string, devtools: string, document: unknown): unknown {
  if (Array.isArray(document)) return document.map((item) => pointTo(door, devtools, item));
  const target = document as Record<string, unknown>;
  for (const field of ["webSocketDebuggerUrl", "devtoolsFrontendUrl"]) {
    const address = target[field];
    if (typeof address === "string") target[field] = address.replace(devtools, door);
  }
  return target;
}
