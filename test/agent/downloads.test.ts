import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { chromium } from "playwright-core";
import * as v from "valibot";
import {
  CancelDownload,
  DeleteDownload,
  type Download,
  GetDownload,
  ListDownloads,
  ReadDownload,
} from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { startStateWorld, type StateWorld } from "../lib/state-world.ts";

setDefaultTimeout(20_000);
let agent: StateWorld["agent"];
let world: StateWorld;
let site: StateWorld["site"];
let guest: StateWorld["guest"];
let page: StateWorld["page"];
beforeAll(async () => {
  world = await startStateWorld();
  ({ agent, site, guest, page } = world);
  await page.navigate(`${site.origin}/`);
}, 40_000);
afterAll(() => world[Symbol.asyncDispose]());

const list = async () => (await guest.downloads.list(v.parse(ListDownloads, {}))).items;
const get = (id: string, wait = true) => guest.downloads.get(v.parse(GetDownload, { id, wait }));
const cancel = (id: string) => guest.downloads.cancel(v.parse(CancelDownload, { id }));
const remove = (id: string) => guest.downloads.delete(v.parse(DeleteDownload, { id }));
const open = (id: string, range: object = {}) =>
  guest.downloads.read(v.parse(ReadDownload, { id, ...range }), AbortSignal.timeout(20_000));
const read = async (id: string, range: object = {}) =>
  Buffer.concat(await Array.fromAsync((await open(id, range)).bytes));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Clicks a link to it. @returns the download once it is there */
async function begin(path: string, from = guest): Promise<Download> {
  const all = async () => (await from.downloads.list(v.parse(ListDownloads, {}))).items;
  const known = new Set((await all()).map(({ id }) => id));
  await drive(from).evaluate(
    `(() => { const a = document.createElement('a'); a.href = '${path}'; document.body.append(a); a.click(); })()`,
  );
  for (;;) {
    const found = (await all()).find(({ id }) => !known.has(id));
    if (found) return found;
  }
}

describe("a download", () => {
  test("is an object, and its bytes are those of the site", async () => {
    const { id } = await begin("/file");
    expect(await get(id)).toMatchObject({
      state: "completed",
      name: "näme.bin",
      type: "application/octet-stream",
      url: `${site.origin}/file`,
      total_bytes: 1000,
      received_bytes: 1000,
      sha256: sha256(Buffer.from("x".repeat(1000))),
      error: null,
      by_client: false,
      tab: expect.any(String),
      ended_at: expect.any(Number),
    });
    expect((await read(id)).toString()).toBe("x".repeat(1000));
  });
  test("ranges of a large one", async () => {
    const { id } = await begin("/big");
    const { total_bytes: total, sha256: hash } = await get(id);
    expect(total).toBe(20 * 1024 * 1024);
    expect(sha256(await read(id))).toBe(hash!);
    expect(await read(id, { from: 10, to: 19 })).toEqual(Buffer.alloc(10, 7));
    expect(await read(id, { from: total! - 1 })).toHaveLength(1);
    expect((await open(id, { from: 5, to: 10 ** 9 })).length).toBe(total! - 5);
    expect(await refused("range_not_satisfiable", open(id, { from: total! }))).toContain(String(total));
    await refused("range_not_satisfiable", open(id, { from: 9, to: 8 }));
  });
  test("is read while it arrives, to its end", async () => {
    const { id } = await begin("/paced");
    const { length, bytes } = await open(id);
    expect(length).toBeNull();
    const reader = bytes[Symbol.asyncIterator]();
    const first = reader.next();
    site.pace(300_000);
    let got = (await first).value!.length;
    expect((await get(id, false)).state).toBe("in_progress");
    const part = read(id, { from: 299_990, to: 300_009 });
    site.pace(300_000);
    expect(await part).toEqual(Buffer.alloc(20, 1));
    site.endPaced();
    for (let next = await reader.next(); !next.done; next = await reader.next()) got += next.value.length;
    expect(got).toBe(600_010);
    expect(await get(id)).toMatchObject({ state: "completed", total_bytes: 600_010 });
  });
  test("that breaks off breaks its readers off", async () => {
    const { id } = await begin("/paced");
    site.pace(300_000);
    const { bytes } = await open(id);
    const reading = Array.fromAsync(bytes);
    site.failPaced();
    await refused("guest_unreachable", reading);
    expect(await get(id)).toMatchObject({ state: "failed", error: expect.stringContaining("broke off"), sha256: null });
    await refused("download_gone", open(id));
  });
  test("cancelled; deleted, in progress too", async () => {
    const { id } = await begin("/paced");
    expect(await cancel(id)).toMatchObject({ state: "canceled" });
    expect(await cancel(id)).toMatchObject({ state: "canceled" });
    await remove(id);
    await refused("download_not_found", get(id));
    const second = await begin("/paced");
    await remove(second.id);
    const { id: third } = await begin("/file");
    await get(third);
    await remove(third);
    for (const gone of [second.id, third]) await refused("download_not_found", open(gone));
  });
  test.each([() => get("nothing"), () => cancel("nothing"), () => remove("nothing"), () => open("nothing")])(
    "download_not_found",
    async (ask) => {
      await refused("download_not_found", ask());
    },
  );
});

test("a DevTools client keeps its own; what it got is listed too; ours come back when it leaves", async () => {
  const browser = await chromium.connectOverCDP(agent.endpoint, {
    headers: { authorization: `Bearer ${agent.token}` },
  });
  try {
    const context = await browser.newContext();
    const theirs = await context.newPage();
    await theirs.goto(`${site.origin}/`);
    const waiting = theirs.waitForEvent("download");
    await theirs.evaluate("location.href = '/file'").catch(() => {});
    const download = await waiting;
    expect(Buffer.concat(await Array.fromAsync(await download.createReadStream()))).toHaveLength(1000);
    const { id } = (await list()).at(-1)!;
    expect(await get(id)).toMatchObject({ state: "completed", by_client: true });
    expect(await read(id)).toHaveLength(1000);
  } finally {
    await browser.close();
  }
  for (let round = 0; round < 3; round += 1) {
    const { id } = await begin("/file");
    const got = await get(id);
    if (got.state === "completed" && !got.by_client) return;
  }
  throw new Error("downloads are not ours again");
}, 30_000);

/** A file system of 3 MB for downloads, in a mount namespace of the agent's own. */
const smallDisk = (directory: string) => {
  const place = `${directory}/profile-downloads`;
  const mount = `mkdir -p '${place}' && mount -t tmpfs -o size=3m tmpfs '${place}' && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", mount, "agent"];
};
test.skipIf(process.getuid?.() !== 0)(
  "a disk that is full is said, and there is room again when it is deleted",
  async () => {
    await using small = await startAgent({ wrap: smallDisk });
    const other = new Guest(small.endpoint, small.token);
    await other.ready(30_000);
    const began = (path: string) => begin(path, other);
    await drive(other).navigate(`${site.origin}/`);
    const { id } = await began("/big");
    const failed = await other.downloads.get(v.parse(GetDownload, { id, wait: true }));
    expect(failed).toMatchObject({ state: "failed", error: expect.stringContaining("disk is full") });
    await other.downloads.delete(v.parse(DeleteDownload, { id }));
    const next = await other.downloads.get(v.parse(GetDownload, { id: (await began("/file")).id, wait: true }));
    expect(next).toMatchObject({ state: "completed" });
  },
  40_000,
);

test("when Chromium dies, what was in progress has failed and the next one works", async () => {
  const { id } = await begin("/paced");
  const { chromium: before } = await guest.health();
  process.kill(-before.pid!, "SIGKILL");
  expect(await get(id)).toMatchObject({ state: "failed", error: expect.stringContaining("SIGKILL") });
  for await (const event of guest.events(AbortSignal.timeout(30_000)))
    if (event.type === "browser_ready" && event.restarts > before.restarts) break;
  await page.navigate(`${site.origin}/`);
  expect(await get((await begin("/file")).id)).toMatchObject({ state: "completed" });
}, 40_000);
