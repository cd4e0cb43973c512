/** Fixture pages on loopback. `Bun.serve` on a free port; `/hang` never answers, `/drop` cuts the connection. */
const PAGES: Record<string, string> = {
  "/": "<!doctype html><title>Home</title><h1>Hello</h1><p>world",
  "/late-title": "<title>early</title><script>document.title='late'</script>",
  "/redirects": "<title>before</title><script>location.replace('/')</script>",
  "/alerts":
    "<title>alerts</title><script>alert('a');window.answer=confirm('b');addEventListener('beforeunload',e=>e.preventDefault())</script>",
  "/tall": "<title>tall</title><body style='margin:0'><div style='width:400px;height:3000px;background:teal'>",
  "/loops": "<title>loops</title><script>addEventListener('load',()=>setTimeout(()=>{for(;;);},0))</script>",
};

export type Pages = Disposable & { origin: string };

export function servePages(): Pages {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const path = new URL(request.url).pathname;
      if (path === "/hang") return new Promise<Response>(() => {});
      if (path === "/file")
        return new Response("x", { headers: { "content-disposition": "attachment; filename=x.bin" } });
      const page = PAGES[path];
      return new Response(page ?? "<title>Not here</title>", {
        status: page ? 200 : 404,
        headers: { "content-type": "text/html; charset=utf-8" },
      });
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    [Symbol.dispose]: () => void server.stop(true),
  };
}
