import { Elysia } from "elysia";
import * as v from "valibot";
import { CdpToken, HypeError, MintCdpToken } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { type Door, httpUrl, rewriteTarget, rewriteTargets, rewriteVersion, socketUrl } from "../cdp/discovery.ts";
import { BUFFER_BYTES, relay } from "../cdp/relay.ts";
import { openUpstream } from "../cdp/upstream.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, textReply, VmRef } from "./schemas.ts";

/** For a caller that came with a key and asks for a URL: long enough to connect, seconds. */
const URL_TTL_SECONDS = 600;

const targetId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "must be a target id"));
const TargetRef = v.strictObject({ ...VmRef.entries, id: targetId });
const about = (summary: string) => ({ summary, tags: ["cdp"] });
const socket = { params: VmRef, detail: about("DevTools socket of the browser (WebSocket)") };
const json = (summary: string) => ({ params: VmRef, detail: about(summary) });

/**
 * The CDP door: discovery as Chrome serves it under /json, sockets under /devtools, so that Playwright, Puppeteer and chrome-remote-interface
 * connect as they are. A key in the header or a token of this VM in `?token=` opens it.
 */
export function cdpRoutes(context: ServerContext, gate: Gate) {
  const { engine, cdpTokens, metrics, closing, cdpBufferBytes: bufferBytes = BUFFER_BYTES } = context;
  /** Where the caller finds this VM's door: by the Host it called, with the token it came with or a short-lived one. */
  const doorOf = (request: Request, name: string, ttlSeconds = URL_TTL_SECONDS) => {
    const vm = engine.get(name);
    const { cdpToken, isSecure } = gate.callerOf(request);
    const key = gate.identityOf(request);
    const host = request.headers.get("host") ?? new URL(request.url).host;
    const minted = cdpToken === null ? cdpTokens.mint(vm.id, ttlSeconds, key) : null;
    const door: Door = {
      base: `${isSecure ? "https" : "http"}://${host}/api/v1/vms/${vm.name}/cdp`,
      token: minted?.token ?? (cdpToken as string),
    };
    return { door, expiresAt: minted?.expiresAt ?? 0 };
  };

  type Call = { params: { name: string }; request: Request };
  const ask = ({ params, request }: Call, path: string, method: "GET" | "PUT" = "GET") =>
    engine.guest(params.name).cdpJson(path, method, request.signal);
  const version = async (call: Call) => {
    const { door } = doorOf(call.request, call.params.name);
    return rewriteVersion(jsonOf(await ask(call, "/json/version")), door);
  };
  const list = async (call: Call) => {
    const { door } = doorOf(call.request, call.params.name);
    return rewriteTargets(jsonOf(await ask(call, "/json/list")), door);
  };
  /** Chrome takes the URL as the bare query string; our token is not part of it. */
  const open = async (call: Call) => {
    const { door } = doorOf(call.request, call.params.name);
    const query = new URL(call.request.url).search
      .slice(1)
      .replace(/(^|&)token=[^&]*/, "")
      .replace(/^&/, "");
    return rewriteTarget(jsonOf(await ask(call, query ? `/json/new?${query}` : "/json/new", "PUT")), door);
  };
  /** Passed on as it is; the type is ours to say. */
  const forward = async (call: Call, path: string, type: string) =>
    new Response((await ask(call, path)).bytes, {
      headers: { "content-type": type, "x-content-type-options": "nosniff" },
    });

  const connect = async (request: Request, server: Bun.Server<unknown> | null, name: string, path: string) => {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket" || !server)
      throw new HypeError("invalid_request", "this route is a WebSocket: connect with Upgrade: websocket");
    const { url, headers } = engine.guest(name).cdpSocket(path);
    const gone = engine.whenGone(name).signal;
    const ended = gate.endedOf(request);
    const upstream = await openUpstream(url, headers, request.signal);
    metrics.cdpSockets.inc();
    const handlers = relay({ upstream, gone, closing, ended, bufferBytes, onEnd: () => metrics.cdpSockets.dec() });
    if (server.upgrade(request, { data: handlers })) return new Response(null, { status: 101 }); // for the log: Bun has answered
    handlers.close({} as never, 1006, "");
    throw new HypeError("invalid_request", "the WebSocket handshake is not valid");
  };

  return new Elysia({ name: "cdp", prefix: "/api/v1/vms/:name" })
    .post(
      "/cdp-token",
      ({ params, body, request }) => {
        const { door, expiresAt } = doorOf(request, params.name, body.ttl_seconds);
        return {
          token: door.token,
          expires_at: new Date(expiresAt * 1000).toISOString(),
          ws_url: socketUrl(door),
          http_url: httpUrl(door),
        };
      },
      {
        params: VmRef,
        query: NoQuery,
        body: v.optional(MintCdpToken, {}),
        response: CdpToken,
        detail: about("Mint a token that opens the CDP door of this VM for a while"),
      },
    )
    .get(
      "/cdp",
      ({ params, request, server }) =>
        request.headers.has("upgrade")
          ? connect(request, server, params.name, "/devtools/browser")
          : version({ params, request }),
      socket,
    )
    .get(
      "/cdp/devtools/browser",
      ({ params, request, server }) => connect(request, server, params.name, "/devtools/browser"),
      socket,
    )
    .get(
      "/cdp/devtools/browser/:id",
      ({ params, request, server }) => connect(request, server, params.name, `/devtools/browser/${params.id}`),
      { ...socket, params: TargetRef },
    )
    .get(
      "/cdp/devtools/page/:id",
      ({ params, request, server }) => connect(request, server, params.name, `/devtools/page/${params.id}`),
      { params: TargetRef, detail: about("DevTools socket of a tab (WebSocket)") },
    )
    .get("/cdp/json/version", version, json("Version and socket of the browser"))
    .get("/cdp/json", list, json("Targets"))
    .get("/cdp/json/list", list, json("Targets"))
    .get(
      "/cdp/json/protocol",
      (call) => forward(call, "/json/protocol", "application/json"),
      json("The protocol as the browser describes it"),
    )
    .put("/cdp/json/new", open, json("Open a tab; the query string is its URL"))
    .get("/cdp/json/new", open, json("The same, for older clients"))
    .get("/cdp/json/activate/:id", (call) => forward(call, `/json/activate/${call.params.id}`, "text/plain"), {
      params: TargetRef,
      detail: { ...about("Bring a tab to the front"), ...textReply("text/plain", "What Chromium says") },
    })
    .get("/cdp/json/close/:id", (call) => forward(call, `/json/close/${call.params.id}`, "text/plain"), {
      params: TargetRef,
      detail: { ...about("Close a tab"), ...textReply("text/plain", "What Chromium says") },
    });
}

/** @throws HypeError guest_unreachable */
function jsonOf({ bytes }: { bytes: Uint8Array }): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (thrown) {
    throw new HypeError("guest_unreachable", "the browser's discovery document is no JSON", {}, { cause: thrown });
  }
}
