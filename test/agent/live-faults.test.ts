import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createConnection, type Socket } from "node:net";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";
import { type Watcher, watchLive } from "../lib/live-watcher.ts";

/** A live view in which much happens, and one whose other end does not keep to the rules. */
setDefaultTimeout(60_000);
const page = (title: string, body: string) => `<!doctype html><title>${title}</title><body style="margin:0">${body}`;
const NOISE = page(
  "noise",
  `<canvas id=c width=1280 height=720></canvas><script>const g = c.getContext("2d"); (function draw() {
    const d = g.createImageData(1280, 720); crypto.getRandomValues(new Uint8Array(d.data.buffer, 0, 65536));
    for (let i = 65536; i < d.data.length; i++) d.data[i] = Math.random() * 256;
    for (let i = 3; i < d.data.length; i += 4) d.data[i] = 255;
    g.putImageData(d, 0, 0); requestAnimationFrame(draw) })()</script>`,
);
/** When a page gets its title. */
const TITLED: Record<string, (title: string) => string> = {
  "in its source": (title) => page(title, ""),
  "as it loads": (title) => page("", `<script>onload = () => { document.title = "${title}" }</script>`),
  "once it is drawn": (title) =>
    page(
      "",
      `<script>requestAnimationFrame(() => requestAnimationFrame(() => { document.title = "${title}" }))</script>`,
    ),
};
const ROUNDS = 200;
const kinds = Object.keys(TITLED);
const PAGES: Record<string, string> = {
  "/noise": NOISE,
  "/touch": page(
    "touch",
    `<script>
  window.seen = [];
  for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"]) addEventListener(type, (e) => seen.push(
    [type, ...[...e.touches].map((t) => t.clientX + ":" + t.clientY)].join(" ")), { passive: true });
</script>`,
  ),
};
for (let n = 0; n < ROUNDS; n++) PAGES[`/titled-${n}`] = TITLED[kinds[n % kinds.length]!]!(`page ${n}`);

let browsing: Browsing;
beforeAll(async () => {
  browsing = await startBrowsing(PAGES);
}, 60_000);
afterAll(() => browsing[Symbol.asyncDispose]());

/** Goes there, and waits until the view says that the page is there, with its title. */
async function go(watcher: Watcher, path: string, title: string): Promise<void> {
  const since = watcher.messages.length;
  watcher.say({ type: "navigate", url: browsing.site.origin + path });
  await watcher.message(
    "tabs",
    ({ items, watched, loading }) => !loading && items.find(({ id }) => id === watched)?.title === title,
    since,
  );
}

test.each([true, false])(
  "of each of 200 pages in a row the title is told, whenever the page sets it; pictures taken: %p",
  async (acknowledges) => {
    using watcher = await watchLive(browsing.agent);
    watcher.acknowledges = acknowledges;
    watcher.say({ type: "watch" });
    await watcher.picture();
    for (let n = 0; n < ROUNDS; n++) await go(watcher, `/titled-${n}`, `page ${n}`);
    expect(watcher.messages.filter(({ type }) => type === "error")).toEqual([]);
  },
);

test("a tab whose renderer dies is shown again with its next page", async () => {
  using watcher = await watchLive(browsing.agent);
  watcher.say({ type: "watch" });
  await watcher.picture();
  for (let round = 0; round < 3; round++) {
    await refused("navigation_failed", browsing.open("chrome://crash"));
    const before = watcher.pictures.length;
    await go(watcher, `/titled-${round}`, `page ${round}`);
    await watcher.picture(() => true, before);
  }
});

test("two fingers, one after the other lifted; what is held when control goes is cancelled", async () => {
  await browsing.open("/touch");
  using watcher = await watchLive(browsing.agent);
  watcher.say({ type: "watch" });
  await watcher.picture();
  const touch = (action: string, ...points: [number, number, number][]) =>
    watcher.say({ type: "touch", action, points: points.map(([id, x, y]) => ({ id, x, y })) });
  touch("start", [1, 10, 20]);
  touch("start", [1, 10, 20], [2, 110, 120]);
  touch("move", [1, 40, 20], [2, 140, 120]);
  touch("end", [2, 140, 120]);
  touch("end");
  touch("start", [3, 200, 200]);
  watcher.say({ type: "release" });
  await browsing.wait({ function: "seen.some((event) => event.startsWith('touchcancel'))" });
  const seen = (await browsing.value("seen")) as string[];
  expect(seen.filter((event) => !event.startsWith("touchmove"))).toEqual([
    "touchstart 10:20",
    "touchstart 10:20 110:120",
    "touchend 140:120",
    "touchend",
    "touchstart 200:200",
    "touchcancel",
  ]);
  expect(seen).toContain("touchmove 40:20 140:120");
});

/** A watcher that asks for everything, says yes to everything, and reads nothing until told. */
async function deafWatcher(): Promise<{ socket: Socket; say(command: object): void }> {
  const { endpoint, token } = browsing.agent;
  const { hostname, port, host } = new URL(endpoint);
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.on("error", () => {}); // it is cut
  socket.write(
    `GET /v1/live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16, 1).toString("base64")}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  return {
    socket,
    say: (command) => {
      const text = Buffer.from(JSON.stringify(command)); // masked with zeros: RFC 6455, section 5.3
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
    },
  };
}

test("a watcher that says it takes pictures and takes none is cut; the others see on", async () => {
  await browsing.open("/noise");
  using watcher = await watchLive(browsing.agent);
  watcher.say({ type: "watch", quality: 95 });
  await watcher.picture();
  const deaf = await deafWatcher();
  deaf.say({ type: "watch", quality: 95 });
  // More than the agent keeps for it and the system's sockets hold between them.
  let shown = 0;
  for (let at = watcher.pictures.length; shown < 64 * 1024 * 1024; at++) {
    deaf.say({ type: "ack", frame: at + 1_000_000 }); // of pictures that were never sent, too
    shown += (await watcher.picture(() => true, at)).jpeg.length;
  }
  // What was kept for it, and then the close frame (RFC 6455, section 5.5.1).
  const last = Buffer.from([1013 >> 8, 1013 & 0xff, ...Buffer.from("the watcher takes nothing")]);
  let taken = 0;
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of deaf.socket as AsyncIterable<Buffer>) {
    taken += chunk.length;
    tail = Buffer.concat([tail, chunk]).subarray(-last.length);
    if (tail.equals(last)) break; // which ends the socket
  }
  expect(tail).toEqual(last);
  expect(taken).toBeLessThan(shown);
  const before = watcher.pictures.length;
  await watcher.picture(() => true, before);
  await go(watcher, "/titled-0", "page 0");
});
