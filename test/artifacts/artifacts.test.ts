import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { streamFile } from "../../src/artifacts/read.ts";
import { HypeError } from "../../src/contract/index.ts";
import { refused } from "../lib/refused.ts";
import { aFile, bytesOf, sha256, Shelf } from "./world.ts";

const never = new AbortController().signal;
const fileOf = (hash: string) => join(hash.slice(0, 2), hash);
const read = (shelf: Shelf, id: string, from = 0, to?: number): Promise<string> => {
  const artifact = shelf.artifacts.get(id);
  const file = shelf.artifacts.open(artifact);
  return new Response(streamFile(file, from, to ?? artifact.size_bytes - 1, never)).text();
};
async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytesOf(text);
}

describe("what is kept", () => {
  test("is there to its last byte, for this user alone, and says whose it was", async () => {
    using shelf = new Shelf({ clock: () => Date.parse("2026-01-02T03:04:05.000Z") });
    const artifact = await shelf.artifacts.keep(aFile(), pieces("one ", "two ", "three"));
    expect(artifact).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kind: "screenshot",
      name: "page.png",
      content_type: "image/png",
      size_bytes: 13,
      sha256: sha256("one two three"),
      vm_id: aFile().vm.id,
      vm_name: "demo",
      created_at: "2026-01-02T03:04:05.000Z",
      expires_at: null,
    });
    expect(shelf.artifacts.get(artifact.id)).toEqual(artifact);
    expect(await read(shelf, artifact.id)).toBe("one two three");
    expect(await read(shelf, artifact.id, 4, 6)).toBe("two");
    expect(shelf.files()).toEqual([fileOf(artifact.sha256)]);
    const path = shelf.home.join("artifacts", fileOf(artifact.sha256));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(shelf.home.join("artifacts")).mode & 0o777).toBe(0o700);
  });

  test("may be empty", async () => {
    using shelf = new Shelf();
    const { id, sha256: hash } = await shelf.artifacts.keep(aFile(), new Uint8Array());
    expect(hash).toBe(sha256(""));
    expect(await read(shelf, id)).toBe("");
  });

  test("its name and type are data: a path or a control character does not get far", async () => {
    using shelf = new Shelf();
    const kept = await shelf.artifacts.keep(
      aFile({
        name: "../../../etc/cron.d/\x1b[2Jx",
        contentType: "text/html\r\nX-Evil: 1",
        kind: "download",
      }),
      pieces("x"),
    );
    expect(kept).toMatchObject({ name: "[2Jx", content_type: "application/octet-stream" });
    expect((await shelf.artifacts.keep(aFile({ contentType: "Text/HTML; charset=x" }), pieces("x"))).content_type).toBe(
      "text/html",
    );
    expect((await shelf.artifacts.keep(aFile({ name: "\0", kind: "har" }), pieces("x"))).name).toBe("har");
  });

  test("twice the same bytes lie there once, and go with the last of them", async () => {
    using shelf = new Shelf();
    const [one, two] = await Promise.all([
      shelf.artifacts.keep(aFile({ name: "one" }), pieces("same ", "bytes")),
      shelf.artifacts.keep(aFile({ name: "two" }), pieces("same bytes")),
    ]);
    expect(shelf.files()).toEqual([fileOf(one.sha256)]);
    expect(shelf.artifacts.usedBytes).toBe(10);
    shelf.artifacts.delete(one.id);
    expect(await read(shelf, two.id)).toBe("same bytes");
    shelf.artifacts.delete(two.id);
    expect(shelf.files()).toEqual([]);
    expect(shelf.artifacts.usedBytes).toBe(0);
    for (const { id } of [one, two])
      expect(() => shelf.artifacts.delete(id)).toThrow(expect.objectContaining({ code: "artifact_not_found" }));
  });

  test("many at once, of few different bytes, deleted while others come: rows and files agree", async () => {
    using shelf = new Shelf();
    const keep = (n: number) => shelf.artifacts.keep(aFile({ name: `n${n}` }), pieces("body ", String(n % 3)));
    const kept = await Promise.all(Array.from({ length: 30 }, (_, n) => keep(n)));
    await Promise.all([
      ...kept.slice(0, 20).map(async ({ id }) => shelf.artifacts.delete(id)),
      ...Array.from({ length: 10 }, (_, n) => keep(n)),
    ]);
    expect(shelf.files()).toHaveLength(3);
    expect(await shelf.artifacts.compare()).toEqual({ missing: 0, strangers: 0 });
    for (const { id } of shelf.artifacts.list({ limit: 1000 }).items) shelf.artifacts.delete(id);
    expect([shelf.files(), shelf.artifacts.usedBytes]).toEqual([[], 0]);
  });

  test("is read to its end though it is deleted meanwhile", async () => {
    using shelf = new Shelf();
    const text = "0123456789".repeat(100_000); // more than one piece
    const { id, size_bytes } = await shelf.artifacts.keep(aFile(), bytesOf(text));
    const reader = streamFile(shelf.artifacts.open(shelf.artifacts.get(id)), 0, size_bytes - 1, never).getReader();
    let got = Buffer.from((await reader.read()).value!).toString();
    shelf.artifacts.delete(id);
    expect(shelf.files()).toEqual([]);
    for (let next = await reader.read(); !next.done; next = await reader.read())
      got += Buffer.from(next.value).toString();
    expect(got === text).toBe(true);
  });
});

describe("lists", () => {
  test("newest first, by VM and kind, in pages", async () => {
    using shelf = new Shelf();
    const other = { id: "0190b5a0-0000-7000-8000-000000000002", name: "other", labels: {} };
    for (let n = 0; n < 5; n++) await shelf.artifacts.keep(aFile({ name: `s${n}` }), pieces(String(n)));
    await shelf.artifacts.keep(aFile({ name: "p", kind: "pdf", vm: other }), pieces("pdf"));
    const names = (query: object) => shelf.artifacts.list({ limit: 100, ...query }).items.map(({ name }) => name);
    expect(names({})).toEqual(["p", "s4", "s3", "s2", "s1", "s0"]);
    expect(names({ vm: "other" })).toEqual(["p"]);
    expect(names({ vm: other.id, kind: "screenshot" })).toEqual([]);
    expect(names({ vm: "demo", kind: "screenshot" })).toHaveLength(5);
    const first = shelf.artifacts.list({ limit: 4 });
    expect(first.items.map(({ name }) => name)).toEqual(["p", "s4", "s3", "s2"]);
    const second = shelf.artifacts.list({ limit: 4, after: first.next! });
    expect([second.items.map(({ name }) => name), second.next]).toEqual([["s1", "s0"], null]);
    expect(shelf.artifacts.list({ limit: 6 }).next).toBeNull();
  });

  test("somebody who sees few of many gets them all, page by page; what is not seen is not there", async () => {
    using shelf = new Shelf();
    const kept = await shelf.artifacts.keep(aFile({ name: "mine" }), pieces("x"));
    const row = { ...kept, vm_labels: {}, name: "theirs" };
    shelf.store.write(() => {
      for (let n = 0; n < 7000; n++) shelf.store.artifacts.insert({ ...row, id: Bun.randomUUIDv7() });
    });
    const seen: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = shelf.artifacts.list({ limit: 10, after }, ({ name }) => name === "mine");
      seen.push(...page.items.map(({ name }) => name));
      after = page.next ?? undefined;
      pages++;
    } while (after !== undefined);
    expect([seen, pages]).toEqual([["mine"], 2]);
    expect(() => shelf.artifacts.get(kept.id, () => false)).toThrow(`there is no artifact ${kept.id}`);
  });
});

describe("the quota", () => {
  const MB = 1_048_576;
  test("is not passed, by what streams either; nothing is left of what was refused, nothing is deleted for it", async () => {
    using shelf = new Shelf({ quotaMb: 1 });
    const first = await shelf.artifacts.keep(aFile(), new Uint8Array(MB - 10));
    async function* endless() {
      for (;;) yield new Uint8Array(4);
    }
    const words = await refused("artifact_quota_exceeded", shelf.artifacts.keep(aFile(), endless()));
    expect(words).toContain(`artifacts take ${MB - 10} bytes`);
    expect(words).toContain(`${MB} are allowed`);
    await refused("artifact_quota_exceeded", shelf.artifacts.keep(aFile(), new Uint8Array(11)));
    expect(shelf.files()).toEqual([fileOf(first.sha256)]);
    expect(shelf.artifacts.list({ limit: 10 }).items).toEqual([first]);
    const exact = await shelf.artifacts.keep(aFile(), new Uint8Array(10));
    shelf.artifacts.delete(first.id);
    shelf.artifacts.delete(exact.id);
    await shelf.artifacts.keep(aFile(), new Uint8Array(MB));
  });

  test("counts what is on its way: two that fit alone do not fit together", async () => {
    using shelf = new Shelf({ quotaMb: 1 });
    const hold = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    async function* slow() {
      yield new Uint8Array(700_000);
      begun.resolve();
      await hold.promise;
    }
    const first = shelf.artifacts.keep(aFile(), slow());
    await begun.promise;
    await refused("artifact_quota_exceeded", shelf.artifacts.keep(aFile(), new Uint8Array(700_001)));
    hold.resolve();
    await first;
    expect(shelf.artifacts.usedBytes).toBe(700_000);
  });

  test("is known again after a restart", async () => {
    using shelf = new Shelf();
    await shelf.artifacts.keep(aFile(), new Uint8Array(700_000));
    await shelf.artifacts.keep(aFile(), new Uint8Array(700_000));
    using next = new Shelf({ place: shelf.home.path, quotaMb: 1 });
    expect(next.artifacts.usedBytes).toBe(700_000);
    await refused("artifact_quota_exceeded", next.artifacts.keep(aFile(), new Uint8Array(400_000).fill(1)));
  });

  test("room is left on the disk, whatever the quota says", async () => {
    using shelf = new Shelf({ reserveBytes: Number.MAX_SAFE_INTEGER });
    expect(await refused("disk_full", shelf.artifacts.keep(aFile(), bytesOf("x")))).toContain("stay free");
    expect(shelf.files()).toEqual([]);
  });
});

describe("what does not come whole", () => {
  test("leaves nothing: a source that breaks off, a look that refuses it, a server that ends", async () => {
    using shelf = new Shelf();
    async function* broken() {
      yield bytesOf("part");
      throw new HypeError("guest_unreachable", "the wire broke");
    }
    await refused("guest_unreachable", shelf.artifacts.keep(aFile(), broken()));
    const look = () => {
      throw new HypeError("download_gone", "no");
    };
    await refused("download_gone", shelf.artifacts.keep(aFile(), pieces("x"), look));
    const late = shelf.artifacts.keep(aFile(), pieces("x"), () => shelf.artifacts[Symbol.dispose]());
    await refused("shutting_down", late);
    expect(shelf.files()).toEqual([]);
    expect(shelf.artifacts.list({ limit: 10 }).items).toEqual([]);
    expect(shelf.artifacts.usedBytes).toBe(0);
  });
});

describe("rows and files that do not fit", () => {
  test("a file that is missing or was changed is said when it is read, and can be deleted; the same bytes again mend it", async () => {
    using shelf = new Shelf();
    const { id, sha256: hash } = await shelf.artifacts.keep(aFile(), bytesOf("precious"));
    const path = shelf.home.join("artifacts", fileOf(hash));
    const fault = (words: string) =>
      expect(() => closeSync(shelf.artifacts.open(shelf.artifacts.get(id)))).toThrow(
        expect.objectContaining({
          code: "artifact_damaged",
          message: expect.stringContaining(words),
        }),
      );
    truncateSync(path, 3);
    fault("has 3 bytes instead of 8");
    rmSync(path);
    fault("is not there");
    using next = new Shelf({ place: shelf.home.path });
    expect(await next.artifacts.compare()).toEqual({ missing: 1, strangers: 0 });
    expect(next.lines.join()).toContain("missing or damaged");
    await next.artifacts.keep(aFile(), bytesOf("precious"));
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(await read(next, id)).toBe("precious");
    rmSync(path);
    for (const item of next.artifacts.list({ limit: 10 }).items) next.artifacts.delete(item.id);
    expect(next.artifacts.usedBytes).toBe(0);
  });

  test("a file that belongs to no row is told of and left alone: the database may be the one that is wrong", async () => {
    using shelf = new Shelf();
    const { id, sha256: hash } = await shelf.artifacts.keep(aFile(), bytesOf("precious"));
    shelf.store.artifacts.remove(id);
    using next = new Shelf({ place: shelf.home.path });
    expect(await next.artifacts.compare()).toEqual({ missing: 0, strangers: 1 });
    expect(next.files()).toEqual([fileOf(hash)]);
  });

  test("a link in a file's place is not followed", async () => {
    using shelf = new Shelf();
    const artifact = await shelf.artifacts.keep(aFile(), bytesOf("precious"));
    const path = shelf.home.join("artifacts", fileOf(artifact.sha256));
    rmSync(path);
    writeFileSync(shelf.home.join("secret"), "8 bytes!");
    chmodSync(shelf.home.join("secret"), 0o600);
    await Bun.$`ln -s ${shelf.home.join("secret")} ${path}`.quiet();
    expect(() => shelf.artifacts.open(artifact)).toThrow(expect.objectContaining({ code: "artifact_damaged" }));
  });
});

describe("retention", () => {
  const DAY = 86_400_000;
  test("what is over is deleted at the next start; what is not, or was kept for ever, stays", async () => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    using shelf = new Shelf({ retentionDays: 7, clock: () => now });
    const first = await shelf.artifacts.keep(aFile({ name: "first" }), pieces("1"));
    expect(first.expires_at).toBe("2026-01-08T00:00:00.000Z");
    now += 3 * DAY;
    await shelf.artifacts.keep(aFile({ name: "second" }), pieces("2"));
    using forever = new Shelf({ place: shelf.home.path, clock: () => now });
    await forever.artifacts.keep(aFile({ name: "third" }), pieces("3"));
    now += 5 * DAY;
    using next = new Shelf({ place: shelf.home.path, clock: () => now });
    const names = () => next.artifacts.list({ limit: 10 }).items.map(({ name }) => name);
    while (names().includes("first")) await new Promise((resolve) => setImmediate(resolve));
    expect(names()).toEqual(["third", "second"]);
    expect(next.files()).toHaveLength(2);
    expect(next.lines.join()).toContain("1 artifacts expired and were deleted");
  });

  test("what cannot be deleted is said, and keeps nothing else from going", async () => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    using shelf = new Shelf({ retentionDays: 1, clock: () => now });
    const stuck = await shelf.artifacts.keep(aFile({ name: "stuck" }), pieces("1"));
    const other = await shelf.artifacts.keep(aFile({ name: "other" }), pieces("2"));
    const remove = shelf.artifacts.delete.bind(shelf.artifacts);
    shelf.artifacts.delete = (id) => {
      if (id === stuck.id) throw new HypeError("disk_full", "no space left");
      remove(id);
    };
    now += 2 * DAY;
    await shelf.artifacts.keep(aFile({ name: "wakes the timer" }), pieces("3"));
    while (shelf.store.artifacts.find(other.id)) await new Promise((resolve) => setImmediate(resolve));
    expect(shelf.store.artifacts.find(stuck.id)).not.toBeNull();
    expect(shelf.lines.join()).toContain(`artifact ${stuck.id} expired and could not be deleted: no space left`);
  });

  test("the timer is set for the nearest, and more than a timer can count is waited for in parts", async () => {
    const start = Date.now();
    let offset = 0;
    using shelf = new Shelf({ retentionDays: 36_500, clock: () => start + offset });
    const { id } = await shelf.artifacts.keep(aFile(), pieces("1"));
    offset = 36_501 * DAY;
    await shelf.artifacts.keep(aFile({ name: "wakes the timer" }), pieces("2"));
    while (shelf.store.artifacts.find(id)) await new Promise((resolve) => setImmediate(resolve));
    expect(shelf.artifacts.list({ limit: 10 }).items.map(({ name }) => name)).toEqual(["wakes the timer"]);
  });
});
