const PAGES: Record<string, string> = {
  "/": "<title>Home</title><h1>Hello</h1><button onclick=\"document.title='clicked'\">Go</button>",
  "/frames": `<title>Frames</title><iframe src="/inner" name=same></iframe><iframe src="{other}/inner" name=cross></iframe>`,
  "/inner": "<title>Inner</title><button onclick=\"this.textContent='pressed on '+location.hostname\">Press</button>",
  "/workers": `<title>Workers</title><script>
    const worker = new Worker("/worker.js");
    worker.onmessage = ({ data }) => { document.title = data; };
    navigator.serviceWorker.register("/service-worker.js");
  </script>`,
  "/files": `<title>Files</title><a href="/report.txt" download>Report</a><input type=file multiple id=files>
    <script>files.onchange = async () => {
      const texts = await Promise.all([...files.files].map(async (file) => file.name + ": " + await file.text()));
      document.title = texts.join(", ");
    };</script>`,
  "/api": `<title>waiting</title><script>fetch("/data").then((reply) => reply.text()).then((text) => { document.title = text })</script>`,
};

const typed = (text: string, type: string, more: Record<string, string> = {}) =>
  new Response(text, { headers: { "content-type": type, ...more } });

/** What the clients of a day need, on loopback; the same under another host name, which is another site to Chromium. */
export function serveDaySite() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, { port }) {
      const { pathname } = new URL(request.url);
      if (pathname === "/worker.js") return typed("postMessage('from a worker'); self.answer = 42", "text/javascript");
      if (pathname === "/service-worker.js")
        return typed("self.addEventListener('activate', () => self.clients.claim())", "text/javascript");
      if (pathname === "/report.txt")
        return typed("the report", "text/plain", { "content-disposition": "attachment; filename=report.txt" });
      if (pathname === "/data") return typed("from the server", "text/plain");
      const page = PAGES[pathname];
      return typed((page ?? "none").replaceAll("{other}", `http://localhost:${port}`), "text/html");
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
