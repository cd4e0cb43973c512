import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import * as v from "valibot";
import {
  Emulate,
  ListEntries,
  type RequestEntry,
  ResetEmulation,
  StartObserving,
  StopObserving,
} from "../../src/contract/index.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

/** Bad pages and bad servers. What other tests of this folder do already is not repeated here. */
setDefaultTimeout(40_000);
const certificates = temporaryDirectory();
let b: Browsing;
let secure: ReturnType<typeof Bun.serve>;
let raw: Server;
/** What the raw server answers with, bytes as they are. */
let answer = Buffer.alloc(0);
beforeAll(async () => {
  const [key, cert] = [certificates.join("key.pem"), certificates.join("cert.pem")];
  await Bun.$`openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=elsewhere -days 2 -keyout ${key} -out ${cert}`.quiet();
  const tls = { key: Bun.file(key), cert: Bun.file(cert) };
  secure = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response("secret") });
  raw = createServer((socket) => {
    socket.on("error", () => {}); // Chromium hangs up on what it does not like
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  b = await startBrowsing();
}, 60_000);
afterAll(async () => {
  await b[Symbol.asyncDispose]();
  raw.close();
  await secure.stop(true);
  certificates[Symbol.dispose]();
});
/** After whatever was done to it the tab takes a page and a click, and neither agent nor browser was lost. */
afterEach(async () => {
  expect((await b.open("/acts")).title).toBe("Acts");
  await b.act("click", { selector: "#count" });
  expect(await b.value("document.getElementById('count').textContent")).toBe("n10");
  expect((await b.guest.health()).chromium.restarts).toBe(0);
});
const rawOrigin = () => `http://127.0.0.1:${(raw.address() as AddressInfo).port}`;
const httpAnswer = (headers: string | Buffer) =>
  Buffer.concat([
    Buffer.from("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\n"),
    Buffer.from(headers),
    Buffer.from("\r\n\r\n<title>Strange</title>"),
  ]);

describe("servers", () => {
  test.each<[string, () => string, RegExp]>([
    ["a certificate nobody signed", () => `https://127.0.0.1:${secure.port}/`, /net::ERR_CERT_AUTHORITY_INVALID/],
    ["plain text where TLS is expected", () => rawOrigin().replace("http", "https"), /net::ERR_SSL_PROTOCOL_ERROR/],
    [
      "TLS where plain text is expected",
      () => `http://127.0.0.1:${secure.port}/`,
      /net::ERR_(EMPTY_RESPONSE|INVALID_HTTP_RESPONSE|CONNECTION)/,
    ],
    ["no answer but a closed connection", rawOrigin, /net::ERR_EMPTY_RESPONSE/],
  ])("%s: Chromium's own reason", async (_name, url, reason) => {
    answer = Buffer.alloc(0);
    if (_name.startsWith("plain")) answer = Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n");
    expect(await refused("navigation_failed", b.open(url()))).toMatch(reason);
  });

  test("a header larger than Chromium takes", async () => {
    answer = httpAnswer(`X-Huge: ${"x".repeat(300_000)}`);
    expect(await refused("navigation_failed", b.open(rawOrigin()))).toContain("net::ERR_RESPONSE_HEADERS_TOO_BIG");
  });
  test("headers of bytes that are no text, and large ones: the page is there, and what was seen is told", async () => {
    answer = httpAnswer(
      Buffer.concat([
        Buffer.from("X-Bin: "),
        Buffer.from([1, 2, 0x80, 0xff, 0xfe, 0x22]),
        Buffer.from(`\r\nX-Long: ${"y".repeat(200_000)}`),
      ]),
    );
    await b.guest.observe.start(v.parse(StartObserving, { kinds: ["request"] }));
    expect((await b.open(rawOrigin())).title).toBe("Strange");
    const { items } = await b.guest.observe.list(v.parse(ListEntries, { kinds: ["request"] }));
    const [seen] = items as RequestEntry[];
    const value = (wanted: string) => seen?.response_headers.find(({ name }) => name === wanted)?.value;
    expect(value("X-Bin")).toBe('\u0001\u0002\u20ac\u00ff\u00fe"');
    expect(value("X-Long")?.length).toBeGreaterThan(1_000);
    await b.guest.observe.stop(v.parse(StopObserving, {}));
  });
  test("header values to send: bytes that are no header's are refused, large ones go as far as the server takes them", async () => {
    const headers = (extra_headers: Record<string, string>) => v.safeParse(Emulate, { extra_headers });
    for (const value of ["a\nb", "a\r\nx: y", "a\0b"]) expect(headers({ "x-a": value }).success).toBe(false);
    await b.guest.overlay.emulate(
      v.parse(Emulate, { extra_headers: { "x-one": "z".repeat(65_000), "x-two": "z".repeat(65_000) } }),
    );
    const outcome = await b.open("/").then(
      ({ status }) => status,
      (thrown: { code: string }) => thrown.code,
    );
    expect([431, "navigation_failed"]).toContain(outcome as number);
    await b.guest.overlay.resetEmulation(v.parse(ResetEmulation, {}));
  });
});

describe("pages", () => {
  test("one that asks to stay is left all the same", async () => {
    await b.open("/form");
    await b.act("fill", { selector: "#mail", text: "typed" });
    await b.value("onbeforeunload = (event) => { event.preventDefault(); return 'stay'; }, 0");
    expect((await b.open("/")).title).toBe("Home");
  });
  test("WebGL without a graphics card draws what it is told", async () => {
    await b.open("/");
    const drawn = await b.value(`(() => {
      const gl = document.createElement("canvas").getContext("webgl");
      gl.clearColor(0, 1, 0, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      const pixel = new Uint8Array(4);
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
      return Array.from(pixel);
    })()`);
    expect(drawn).toEqual([0, 255, 0, 255]);
  });
  test("a document of a hundred megabytes: what is too large is refused, the rest works", async () => {
    await b.open("/");
    await b.value(`(() => {
      const words = "lorem ipsum dolor ".repeat(56);
      const list = document.createElement("div");
      list.hidden = true; // to lay it out takes a minute on a busy machine
      for (let n = 0; n < 100_000; n++) list.appendChild(document.createElement("p")).textContent = words + n;
      document.body.append(list);
    })()`);
    await refused("result_too_large", b.content({ format: "html" }));
    await refused("result_too_large", b.value("document.body.innerHTML"));
    expect(await b.value("[document.querySelectorAll('p').length, document.body.textContent.length > 1e8]")).toEqual([
      100_001,
      true,
    ]);
    expect(await b.content({ format: "text" })).toContain("world");
    expect(await b.snapshot()).toContain("Hello");
    expect((await b.shot({})).length).toBeGreaterThan(1_000);
  }, 60_000);
});

test("a page that takes more memory than there is: its renderer dies, that is said, and the tab takes another", async () => {
  // A page may take less than the host has: what happens beyond is the same, sooner.
  await using small = await startBrowsing({}, ["--js-flags=--max-old-space-size=96"]);
  await small.open("/");
  const eat = "(() => { const all = []; for (;;) all.push(Array.from({ length: 100_000 }, Math.random)); })()";
  await refused("tab_crashed", small.value(eat));
  await refused("tab_crashed", small.snapshot());
  expect((await small.open("/")).title).toBe("Home");
  expect((await small.guest.health()).chromium.restarts).toBe(0);
});

test("two clients on one tab, ours and Playwright's: both come through, and of two navigations at once one wins", async () => {
  const { tab } = await b.openTab({ url: `${b.site.origin}/form` });
  const browser = await chromium.connectOverCDP(b.agent.endpoint, {
    headers: { authorization: `Bearer ${b.agent.token}` },
  });
  try {
    const theirs = browser
      .contexts()[0]!
      .pages()
      .find((page) => page.url().endsWith("/form"))!;
    await Promise.all([
      theirs.getByLabel("Name").fill("theirs"),
      b.act("check", { selector: "#ok", tab }),
      theirs.getByLabel("Colour").selectOption("r"),
      b.act("fill", { selector: "#mail", text: "ours@b.c", tab }),
    ]);
    expect(await b.value("[document.querySelector('[name=name]').value, ok.checked, mail.value]", { tab })).toEqual([
      "theirs",
      true,
      "ours@b.c",
    ]);
    await Promise.allSettled<unknown>([
      theirs.goto(`${b.site.origin}/acts`, { timeout: 10_000 }),
      b.open("/things", { tab }),
    ]);
    expect(["Acts", "Things"]).toContain((await b.value("document.title", { tab })) as string);
    // The renderer dies under both: the next order has the tab live again, with its page's status and all.
    await refused("navigation_failed", b.open("chrome://crash", { tab }));
    await refused("tab_crashed", b.value("1", { tab }));
    expect(await b.open("/things", { tab })).toMatchObject({ title: "Things", status: 200 });
    expect(await b.value("document.title", { tab })).toBe("Things");
  } finally {
    await browser.close();
    await b.guest.closeTab({ tab, timeout_ms: 10_000 });
  }
});
