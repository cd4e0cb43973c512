import { PAGES } from "./pages.ts";

/**
 * The site on loopback, a free port. The same pages stand under `other`, which is another site to Chromium and so another process.
 * `/slow?ms=N` answers late, `/hang` never, `/drop` cuts the connection, `/loop` redirects for ever, `/hop?n=N` N times.
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
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request, { port }) {
      const url = new URL(request.url);
      signalOf(url.pathname + url.search).resolve();
      const special = await SPECIAL[url.pathname]?.(url);
      if (special) return special;
      const page = pages[url.pathname] ?? PAGES[url.pathname];
      return html(
        page?.replaceAll("{other}", `http://localhost:${port}`) ?? "<title>Not here</title>",
        page ? 200 : 404,
      );
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    other: `http://localhost:${server.port}`,
    asked: (path) => signalOf(path).promise,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

const html = (text: string, status = 200) =>
  new Response(text, { status, headers: { "content-type": "text/html; charset=utf-8" } });

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
  "/empty": () => new Response(null, { status: 204 }),
};
