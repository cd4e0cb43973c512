/** Fixture site of state, observation, interception and downloads, on a free port of loopback. Any path may be asked on any host name. */
export type StateSite = AsyncDisposable & {
  port: number;
  /** `http://localhost:PORT` and `http://127.0.0.1:PORT`: two sites. */
  origin: string;
  other: string;
  /** Requests that reached the server, newest last. */
  seen: { method: string; path: string; headers: Headers; body: string }[];
  /** Lets the next piece of `/paced` go; resolves the waiting reader. */
  pace(bytes: number): void;
  endPaced(): void;
  /** Cuts the connection in the middle. */
  failPaced(): void;
};

const html = (body: string, headers: Record<string, string> = {}): Response =>
  new Response(`<!doctype html>${body}`, { headers: { "content-type": "text/html; charset=utf-8", ...headers } });

const PAGES: Record<string, () => Response> = {
  "/": () => html("<title>Home</title><h1>Hello</h1>"),
  "/noisy": () =>
    html(
      "<title>noisy</title><script>console.log('one', 2, {a: 1}); console.warn('careful'); console.error(new Error('bad')); setTimeout(() => { throw new TypeError('uncaught') })</script>",
    ),
  "/loops": () =>
    html("<title>loops</title><script>addEventListener('load',()=>setTimeout(()=>{for(;;);},0))</script>"),
  "/frame": () => html("<title>framed</title><iframe src='/'></iframe>"),
  "/worker": () => html("<title>worker</title><script>navigator.serviceWorker.register('/sw.js')</script>"),
  "/sw.js": () =>
    new Response("self.addEventListener('install', () => self.skipWaiting()); console.log('from the worker')", {
      headers: { "content-type": "text/javascript" },
    }),
  "/fetching-sw.js": () =>
    new Response(
      "addEventListener('install', () => skipWaiting()); addEventListener('activate', (event) => event.waitUntil(clients.claim()));" +
        "addEventListener('message', ({ data, source }) => fetch(data, { cache: 'no-store' }).then((reply) => reply.text(), () => 'failed').then((told) => source.postMessage(told)))",
      { headers: { "content-type": "text/javascript" } },
    ),
  "/data.json": () => Response.json({ answer: 42 }),
  "/image.png": () =>
    new Response(new Uint8Array([0x89, 0x50, 0x4e, 0x47]), { headers: { "content-type": "image/png" } }),
  "/redirect": () => new Response(null, { status: 302, headers: { location: "/data.json" } }),
  "/file": () =>
    new Response("x".repeat(1000), {
      headers: {
        "content-type": "application/octet-stream",
        "content-disposition": "attachment; filename*=UTF-8''n%C3%A4me.bin",
      },
    }),
  "/big": () =>
    new Response(new Uint8Array(20 * 1024 * 1024).fill(7), {
      headers: { "content-disposition": "attachment; filename=big.bin" },
    }),
};

export function serveStateSite(): StateSite {
  const seen: StateSite["seen"] = [];
  let paced: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Without a first byte the head would not be sent. */
  const begin = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    paced = controller;
    controller.enqueue(new Uint8Array(10).fill(1));
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request, bun) {
      const { pathname: path, searchParams } = new URL(request.url);
      seen.push({ method: request.method, path, headers: request.headers, body: await request.text() });
      if (path === "/ws" && bun.upgrade(request)) return undefined;
      if (path === "/hang") return new Promise<Response>(() => {});
      if (path === "/echo") return Response.json(Object.fromEntries(request.headers));
      if (path === "/set-cookie")
        return html("<title>cookie</title>", { "set-cookie": searchParams.get("cookie") ?? "" });
      if (path === "/private") {
        const given = request.headers.get("authorization");
        if (given === `Basic ${btoa("ada:secret")}`) return html("<title>inside</title>");
        return new Response("no", { status: 401, headers: { "www-authenticate": 'Basic realm="here"' } });
      }
      if (path === "/paced")
        return new Response(new ReadableStream({ start: begin }), {
          headers: {
            "content-type": "application/octet-stream", // or Chromium waits for enough to guess by
            "content-disposition": "attachment; filename=paced.bin",
          },
        });
      return PAGES[path]?.() ?? new Response("not here", { status: 404 });
    },
    websocket: {
      message: (socket, text) => void socket.send(typeof text === "string" ? `echo ${text}` : text),
    },
  });
  return {
    port: server.port!,
    origin: `http://localhost:${server.port}`,
    other: `http://127.0.0.1:${server.port}`,
    seen,
    pace: (bytes) => paced?.enqueue(new Uint8Array(bytes).fill(1)),
    endPaced: () => paced?.close(),
    failPaced: () => paced?.error(new Error("cut")),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
