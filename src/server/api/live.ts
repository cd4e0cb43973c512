import { Elysia } from "elysia";
import * as v from "valibot";
import {
  CONTROL_WAIT_SECONDS,
  ControlState,
  CreatedLiveLink,
  CreateLiveLink,
  HypeError,
  LIVE_SUBPROTOCOL,
  LiveLink,
  LiveLinkList,
  OwnLiveLink,
  SetControl,
} from "../../contract/index.ts";
import { liveSocket } from "../../guest/live.ts";
import type { StoredLink } from "../../store/live-links.ts";
import type { Gate } from "../auth/gate.ts";
import { openUpstream } from "../cdp/upstream.ts";
import type { ServerContext } from "../context.ts";
import { linkOf } from "../live/link-of.ts";
import { livePage } from "../live/page.ts";
import { liveRelay } from "../live/relay.ts";
import { whenControl, whenPaused } from "../live/wait.ts";
import { LivePageId, NoQuery, queryNumber, textReply, VmRef } from "./schemas.ts";

const LinkRef = v.strictObject({ id: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, "must be a link's id")) });
const SocketRef = v.strictObject({ ...VmRef.entries, link: LinkRef.entries.id });
const SocketQuery = v.strictObject({ page: LivePageId });
const ControlQuery = v.strictObject({
  wait: v.pipe(
    v.optional(v.picklist(["taken", "returned"], "must be taken or returned")),
    v.description("Answer when it is so, or when the time is over; the reply says which"),
  ),
  timeout_seconds: v.pipe(
    queryNumber(1, CONTROL_WAIT_SECONDS.max),
    v.description(`How long to wait; default ${CONTROL_WAIT_SECONDS.default}`),
  ),
});
const about = (summary: string) => ({ summary, tags: ["live"] });

/** The live view: links, control, and the page with its socket, which a link opens and a key never does. */
export function liveRoutes(context: ServerContext, gate: Gate) {
  const { engine, closing, metrics, live } = context;
  const { links, desk } = live;
  const shown = (link: StoredLink) => ({ ...link, watchers: desk.watchersOf(link.id) });

  /** The link a page came with, as it may know it. @throws HypeError live_link_invalid */
  const own = (request: Request): { link: StoredLink; shown: OwnLiveLink } => {
    const link = linkOf(gate, request);
    const vm = engine.get(link.vm_id);
    const { id, label, view_only, expires_at } = link;
    return { link, shown: { id, label, view_only, expires_at, vm: { name: vm.name, status: vm.status } } };
  };

  const connect = async (request: Request, server: Bun.Server<unknown> | null, name: string, page: string) => {
    const { link, shown: ownLink } = own(request);
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket" || !server)
      throw new HypeError("invalid_request", "this route is a WebSocket: connect with Upgrade: websocket");
    const { url, headers } = liveSocket(engine.guest(name));
    const over = new AbortController();
    const paused = whenPaused(engine, engine.get(name), over.signal);
    const gone = AbortSignal.any([engine.whenGone(name).signal, paused]);
    const ended = AbortSignal.any([links.ended(link), gate.endedOf(request)]);
    const upstream = await openUpstream(url, headers, request.signal).catch((thrown: unknown) => {
      over.abort();
      throw thrown;
    });
    metrics.liveSockets.inc();
    const handlers = liveRelay({
      upstream,
      link: ownLink,
      join: (notify) => desk.join({ vmId: link.vm_id, link, page, notify }),
      gone,
      closing,
      ended,
      onEnd() {
        over.abort();
        metrics.liveSockets.dec();
      },
    });
    const upgraded = server.upgrade(request, {
      data: handlers,
      headers: { "sec-websocket-protocol": LIVE_SUBPROTOCOL },
    });
    if (upgraded) return new Response(null, { status: 101 }); // for the log: Bun has answered
    handlers.close({} as never, 1006, "");
    throw new HypeError("invalid_request", "the WebSocket handshake is not valid");
  };

  return new Elysia({ name: "live" })
    .get("/live/:name", () => livePage(), {
      params: VmRef,
      detail: {
        ...about("Page of the live view; shows nothing until a link opens it"),
        ...textReply("text/html", "The page"),
      },
    })
    .get("/live/:name/link", ({ request }) => own(request).shown, {
      params: VmRef,
      query: NoQuery,
      response: OwnLiveLink,
      detail: about("What a live link is good for; its token is sent as `Authorization: Bearer`"),
    })
    .get(
      "/live/:name/socket/:link",
      ({ params, query, request, server }) => {
        if (params.link !== own(request).link.id)
          throw new HypeError("live_link_invalid", "the token is that of another link");
        return connect(request, server, params.name, query.page);
      },
      {
        params: SocketRef,
        query: SocketQuery,
        detail: about("Socket of the page (WebSocket); its token is the second subprotocol"),
      },
    )
    .get("/api/v1/vms/:name/live-links", ({ params }) => ({ items: links.of(engine.get(params.name).id).map(shown) }), {
      params: VmRef,
      query: NoQuery,
      response: LiveLinkList,
      detail: about("Live links of a VM, those that are over too"),
    })
    .post(
      "/api/v1/vms/:name/live-links",
      ({ params, body, request, set, status }) => {
        const vm = engine.get(params.name);
        const { link, token } = links.create(vm.id, body, gate.identityOf(request));
        const host = request.headers.get("host") ?? new URL(request.url).host;
        const scheme = gate.callerOf(request).isSecure ? "https" : "http";
        set.headers["cache-control"] = "no-store";
        return status(201, { ...shown(link), url: `${scheme}://${host}/live/${vm.name}#${token}` });
      },
      {
        params: VmRef,
        query: NoQuery,
        body: v.optional(CreateLiveLink, {}),
        response: { 201: CreatedLiveLink },
        detail: about(
          "Make a link that opens the live view of this VM for a while; the reply is the only time it is told",
        ),
      },
    )
    .delete(
      "/api/v1/live-links/:id",
      ({ params, request }) => {
        const { vm_id } = links.get(params.id);
        const view = gate.viewOf(request);
        // What a key does not see does not exist for it, and neither do links of a VM that is gone.
        if (view && !isVisible(() => view.mustSee(engine.get(vm_id), vm_id)))
          throw new HypeError("live_link_not_found", `there is no live link ${params.id}`, { link: params.id });
        const link = links.revoke(params.id);
        desk.linkEnded(link.id);
        return shown(link);
      },
      {
        params: LinkRef,
        query: NoQuery,
        response: LiveLink,
        detail: about("Revoke a live link: pages it opened end at once"),
      },
    )
    .get(
      "/api/v1/vms/:name/control",
      async ({ params, query, request, server }) => {
        if (query.wait === undefined) return { control: engine.get(params.name).control };
        server?.timeout(request, 0);
        const timeoutMs = Number(query.timeout_seconds ?? CONTROL_WAIT_SECONDS.default) * 1000;
        const signal = AbortSignal.any([request.signal, closing, gate.endedOf(request)]);
        return { control: await whenControl(engine, params.name, query.wait === "taken", timeoutMs, signal) };
      },
      {
        params: VmRef,
        query: ControlQuery,
        response: ControlState,
        detail: about("Who has the browser in hand; waits for it on request"),
      },
    )
    .post(
      "/api/v1/vms/:name/control",
      ({ params, body }) => {
        const vm =
          body.action === "take"
            ? desk.takeControl(params.name, body.holder, body.force)
            : desk.returnControl(params.name, "returned by the API");
        return { control: vm.control };
      },
      {
        params: VmRef,
        query: NoQuery,
        body: SetControl,
        response: ControlState,
        detail: about("Take control for a person, or return it whoever has it; automation is told, never blocked"),
      },
    );
}

function isVisible(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
