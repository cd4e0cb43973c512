import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Browser, chromium, type Download as TheirDownload } from "playwright-core";
import puppeteer from "puppeteer-core";
import * as v from "valibot";
import { type Download, GetDownload, ListDownloads, OpenTab, ReadDownload, Wait } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { serveSite, type Site } from "../site/serve.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

/** What DevTools clients make of downloads when the browser is on another machine: the agent has a /tmp of its own here, as a guest has. */
setDefaultTimeout(30_000);
const isRoot = process.getuid?.() === 0;
/** Only what the agent runs from stays of the /tmp there is: its own directory, and the checkout or Bun where they lie below it. */
const elsewhere = (directory: string) => {
  const needed = [directory, join(import.meta.dir, "../.."), dirname(process.execPath)];
  const kept = needed
    .filter((path) => path.startsWith("/tmp/"))
    .map((path) => `mkdir -p '${path}' && mount --bind '/mnt${path.slice("/tmp".length)}' '${path}' && `);
  const own = `mount --rbind /tmp /mnt && mount -t tmpfs tmpfs /tmp && ${kept.join("")}umount -l /mnt && cd '${directory}'`;
  return ["unshare", "--mount", "sh", "-c", `${own} && exec "$@"`, "agent"];
};
let agent: RunningAgent;
let guest: Guest;
let site: Site;
const here = temporaryDirectory();
beforeAll(async () => {
  if (!isRoot) return;
  site = serveSite();
  agent = await startAgent({ wrap: elsewhere });
  guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
}, 60_000);
afterAll(async () => {
  here[Symbol.dispose]();
  if (!isRoot) return;
  await agent[Symbol.asyncDispose]();
  site[Symbol.dispose]();
});

const waitForOurs = async () =>
  (await guest.page.wait(v.parse(Wait, { download: true, timeout_ms: 10_000 }))).download!;
const bytesOf = async (id: string) => {
  const { bytes } = await guest.downloads.read(v.parse(ReadDownload, { id }), AbortSignal.timeout(10_000));
  return Buffer.concat(await Array.fromAsync(bytes)).toString();
};
const authorised = () => ({ headers: { authorization: `Bearer ${agent.token}` } });

describe.skipIf(!isRoot)("Playwright", () => {
  const download = async (browser: Browser, isOwn: boolean): Promise<TheirDownload | null> => {
    const context = isOwn ? await browser.newContext() : browser.contexts()[0]!;
    const page = await context.newPage();
    await page.goto(`${site.origin}/files`);
    const coming = page.waitForEvent("download", { timeout: 2_000 }).catch(() => null);
    await page.click("#get");
    return await coming;
  };
  test.each([true, false])(
    "is told of a download, cannot save it, and its id is ours (context of its own: %s)",
    async (isOwn) => {
      const browser = await chromium.connectOverCDP(agent.endpoint, authorised());
      try {
        const theirs = (await download(browser, isOwn))!;
        expect([await theirs.failure(), theirs.suggestedFilename()]).toEqual([null, "x.bin"]);
        const path = await theirs.path();
        expect(existsSync(path)).toBe(false); // a path of the guest
        const saved = await theirs.saveAs(here.join("saved")).catch((thrown: Error) => thrown.message);
        expect(saved).toContain("ENOENT");
        const ours = await waitForOurs();
        expect(ours).toMatchObject({ id: basename(path), state: "completed", by_client: true });
        expect(await bytesOf(basename(path))).toBe("x");
      } finally {
        await browser.close();
      }
    },
  );
  test("with noDefaults leaves those of the browser's own context to us, and is not told of them", async () => {
    const browser = await chromium.connectOverCDP(agent.endpoint, { ...authorised(), noDefaults: true });
    try {
      expect(await download(browser, false)).toBeNull();
      const ours = await waitForOurs();
      expect(ours).toMatchObject({ state: "completed", by_client: false });
      expect(await bytesOf(ours.id)).toBe("x");
    } finally {
      await browser.close();
    }
  });
});

const attach = () =>
  puppeteer.connect({ browserWSEndpoint: `${agent.endpoint.replace("http", "ws")}/devtools/browser`, ...authorised() });
/** A click in a tab of ours, until what it begins is kept by whom it should: Chromium tells us when a client has gone, a little later. */
const beginUntil = async (isMeant: (download: Download) => boolean): Promise<Download> => {
  for (;;) {
    const { tab } = await guest.openTab(v.parse(OpenTab, { url: `${site.origin}/files` }));
    await guest.page.act("click", { selector: "#get", tab, timeout_ms: 10_000 } as never);
    const found = await waitForOurs();
    await guest.closeTab({ tab, timeout_ms: 10_000 });
    if (isMeant(found)) return found;
  }
};

/** A client that speaks for itself: Puppeteer may take another client's browser target for its own, and that one leaves. */
async function bareClient() {
  const socket = new WebSocket(`${agent.endpoint.replace("http", "ws")}/devtools/browser`, authorised() as never);
  await new Promise((open, fail) => {
    socket.onopen = open;
    socket.onerror = fail;
  });
  return {
    set: async (downloadPath: string) => {
      const answered = new Promise<unknown>(
        (done) => (socket.onmessage = ({ data }) => done(JSON.parse(String(data)))),
      );
      const params = { behavior: "allowAndName", downloadPath };
      socket.send(JSON.stringify({ id: 1, method: "Browser.setDownloadBehavior", params }));
      expect(await answered).toEqual({ id: 1, result: {} });
    },
    leave: () => socket.close(),
  };
}

test.skipIf(!isRoot)(
  "who set a behaviour and leaves gives it back, though others stay; theirs stays theirs",
  async () => {
    const [bystander, setter, heir] = [await bareClient(), await bareClient(), await bareClient()];
    try {
      await setter.set("/tmp/setter");
      expect(await beginUntil(() => true)).toMatchObject({ by_client: true });
      setter.leave();
      const ours = await beginUntil(({ by_client, state }) => !by_client && state === "completed");
      expect(await bytesOf(ours.id)).toBe("x");
      await heir.set("/tmp/heir");
      bystander.leave();
      expect(await beginUntil(() => true)).toMatchObject({ by_client: true, state: "completed" });
    } finally {
      for (const client of [bystander, setter, heir]) client.leave();
    }
    await beginUntil(({ by_client, state }) => !by_client && state === "completed");
  },
);

test.skipIf(!isRoot)("a context of a client that says nothing of downloads is listed and kept as ours", async () => {
  const client = await attach();
  try {
    const context = await client.createBrowserContext();
    const page = await context.newPage();
    await page.goto(`${site.origin}/files`);
    let ours: Download | null = null;
    while (!ours) {
      await page.click("#get"); // the agent may still be hearing of the context
      ours = await guest.page.wait(v.parse(Wait, { download: true, timeout_ms: 3_000 })).then(
        ({ download }) => download!,
        () => null,
      );
    }
    expect(ours).toMatchObject({ state: "completed", by_client: false });
    expect(await bytesOf(ours.id)).toBe("x");
    await context.close();
  } finally {
    await client.disconnect();
  }
});

test.skipIf(!isRoot)("Puppeteer: a place of its own, a refusal, and ours are back when it leaves", async () => {
  const begin = async () => {
    const { tab } = await guest.openTab(v.parse(OpenTab, { url: `${site.origin}/files` }));
    await guest.page.act("click", { selector: "#get", tab, timeout_ms: 10_000 } as never);
    const found = await waitForOurs();
    await guest.closeTab({ tab, timeout_ms: 10_000 });
    return found;
  };
  const browser = await puppeteer.connect({
    browserWSEndpoint: `${agent.endpoint.replace("http", "ws")}/devtools/browser`,
    ...authorised(),
  });
  try {
    const session = await browser.target().createCDPSession();
    await session.send("Browser.setDownloadBehavior", { behavior: "allowAndName", downloadPath: "/tmp/theirs" });
    const kept = await begin();
    expect(kept).toMatchObject({ state: "completed", by_client: true });
    expect(await bytesOf(kept.id)).toBe("x");
    await session.send("Browser.setDownloadBehavior", { behavior: "deny" });
    expect(await begin()).toMatchObject({ state: "failed", error: expect.stringContaining("DevTools client") });
  } finally {
    await browser.disconnect();
  }
  // The agent claims them when it sees the client's socket end.
  let last = await begin();
  while (last.by_client || last.state !== "completed") last = await begin();
  expect(await bytesOf(last.id)).toBe("x");
  const { items } = await guest.downloads.list(v.parse(ListDownloads, {}));
  expect(items.at(-1)).toMatchObject(await guest.downloads.get(v.parse(GetDownload, { id: last.id })));
});
