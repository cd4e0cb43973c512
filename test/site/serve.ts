import { PAGES } from "./pages.ts";

/**
 * The site on loopback, a free port. The same pages stand under `other`, which is another site to Chromium and so another process.
 * `/slow?ms=N` answers late, `/hang` never, `/drop` leads to where every connection is cut, `/loop` redirects for ever, `/hop?n=N` N times.
 * `/ws` is a WebSocket that echoes.
 */
export type Site = Disposable & {
  origin: string;
  other: string;
  /** Resolves when a path with its query has been asked for. */
  asked(path: string): Promise<void>;
};

export function serveSite(pages: Record<string, string> = {}): Site {
  const asked = new Map<string, PromiseWithResolvers<void>>();
  const signalOf = (path: string) => {
    const signal = asked.get(path) ?? Promise.withResolvers<void>();
    asked.set(path, signal);
    return signal;
  };
  const cutting = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => socket.terminate() },
  });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request, bun) {
      const url = new URL(request.url);
      const { port } = bun;
      signalOf(url.pathname + url.search).resolve();
      if (url.pathname === "/ws" && bun.upgrade(request)) return undefined;
      if (url.pathname === "/drop") return Response.redirect(`http://127.0.0.1:${cutting.port}/`, 302);
      const special = await SPECIAL[url.pathname]?.(url);
      if (special) return special;
      const page = pages[url.pathname] ?? PAGES[url.pathname];
      return html(
        page?.replaceAll("{other}", `http://localhost:${port}`) ?? "<title>Not here</title>",
        page ? 200 : 404,
      );
    },
    websocket: { message: (socket, said) => void socket.send(typeof said === "string" ? `echo ${said}` : said) },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    other: `http://localhost:${server.port}`,
    asked: (path) => signalOf(path).promise,
    [Symbol.dispose]() {
      cutting.stop(true);
      void server.stop(true);
    },
  };
}

const html = (text: string, status = 200) =>
  new Response(text, { status, headers: { "content-type": "text/html; charset=utf-8" } });

/** Answers `/made` by what it asks the site for itself. */
const WORKER = `oninstall=()=>skipWaiting();onactivate=event=>event.waitUntil(clients.claim());
onfetch=event=>{if(new URL(event.request.url).pathname==='/made')
event.respondWith(fetch('/flour').then(reply=>reply.text()).then(text=>new Response('bread of '+text)))}`;

const SPECIAL: Record<string, (url: URL) => Response | Promise<Response>> = {
  "/slow": async (url) => {
    await Bun.sleep(Number(url.searchParams.get("ms") ?? 500));
    return html("<title>Slow</title>");
  },
  "/hang": () => new Promise<Response>(() => {}),
  "/loop": () => Response.redirect("/loop", 302),
  "/hop": (url) => {
    const left = Number(url.searchParams.get("n") ?? 1);
    return Response.redirect(left > 1 ? `/hop?n=${left - 1}` : "/", left % 2 ? 302 : 307);
  },
  "/file": () => new Response("x", { headers: { "content-disposition": "attachment; filename=x.bin" } }),
  "/worker.js": () => new Response(WORKER, { headers: { "content-type": "text/javascript" } }),
  "/flour": () => new Response("flour", { headers: { "content-type": "text/plain" } }),
  "/empty": () => new Response(null, { status: 204 }),
};
