import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { HypeError } from "../../src/contract/index.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

let b: Browsing;
beforeAll(async () => void (b = await startBrowsing()), 60_000);
afterAll(() => b[Symbol.asyncDispose]());

const ways = { wait_until: "load", ignore_cache: false, timeout_ms: 10_000 } as const;

describe("navigate", () => {
  test("until the network is idle", async () => {
    const { title, timings } = await b.open("/busy", { wait_until: "networkidle" });
    expect(title).toBe("Idle");
    const { commit_ms, domcontentloaded_ms, load_ms, total_ms } = timings!;
    const times = [commit_ms!, domcontentloaded_ms!, load_ms!, total_ms];
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(total_ms).toBeGreaterThan(load_ms!);
  });
  test("tells the redirects on its way", async () => {
    const { redirects, status, url } = await b.open("/hop?n=3");
    expect(redirects).toEqual([
      { url: `${b.site.origin}/hop?n=3`, status: 302 },
      { url: `${b.site.origin}/hop?n=2`, status: 307 },
      { url: `${b.site.origin}/hop?n=1`, status: 302 },
    ]);
    expect([status, url]).toEqual([200, `${b.site.origin}/`]);
    expect((await b.open("/")).redirects).toEqual([]);
  });
  test("redirects without end: Chromium's own reason, and the tab is usable", async () => {
    expect(await refused("navigation_failed", b.open("/loop"))).toContain("ERR_TOO_MANY_REDIRECTS");
    expect((await b.open("/")).title).toBe("Home");
  });
  test.each([
    "javascript:alert(1)",
    " java\nscript:1",
    "file:///etc/passwd",
    "FILE:///etc",
    "view-source:file:///etc/passwd",
    "\u0001view-source:file:///etc/passwd",
    "view-sou\nrce:file:///etc/passwd",
    " view-source:\u0002 view-\tsource: file:///etc/passwd",
  ])("url_not_allowed: %j", async (url) => {
    await b.open("/");
    await refused("url_not_allowed", b.open(url));
    expect(await b.value("document.title")).toBe("Home");
  });
  test("no content: the page that was there stays", async () => {
    await b.open("/");
    await refused("navigation_failed", b.open("/empty"));
    expect(await b.value("document.title")).toBe("Home");
  });
});

describe("history", () => {
  test("back and forward, with their ends", async () => {
    await b.openTab();
    await b.open("/");
    await b.open("/form");
    expect(await b.guest.back(ways)).toMatchObject({ title: "Home", url: `${b.site.origin}/` });
    expect(await b.guest.forward(ways)).toMatchObject({ title: "Form" });
    await refused("history_end", b.guest.forward(ways));
    await b.guest.back(ways);
    // Whether the empty page a tab begins with is one of its history's is Chromium's own affair.
    const { url } = await b.guest.back(ways).catch((thrown: HypeError) => ({ url: thrown.code }));
    expect(["history_end", "about:blank"]).toContain(url);
    await refused("history_end", b.guest.back(ways));
  });
  test("inside a document", async () => {
    await b.open("/");
    await b.open("/#part");
    expect((await b.guest.back(ways)).url).toBe(`${b.site.origin}/`);
  });
});

test("reload fetches the page anew", async () => {
  await b.open("/");
  await b.value("document.title = 'changed'");
  expect(await b.guest.reload({ ...ways, ignore_cache: true })).toMatchObject({ title: "Home", status: 200 });
});

test("reload of a page whose server is gone: its reason", async () => {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response("<title>brief</title>", { headers: { "content-type": "text/html" } }),
  });
  await b.open(server.url.href);
  await server.stop(true);
  expect(await refused("navigation_failed", b.guest.reload(ways))).toContain("ERR_CONNECTION_REFUSED");
  expect((await b.open("/")).title).toBe("Home");
});

test("stop ends a load that hangs", async () => {
  await b.open("/");
  const hanging = b.open("/hang?stop", { timeout_ms: 20_000 });
  hanging.catch(() => {}); // looked at below
  await b.site.asked("/hang?stop");
  expect((await b.guest.stop({ timeout_ms: 10_000 })).title).toBe("Home");
  expect(await refused("navigation_failed", hanging)).toContain("ERR_ABORTED");
});
