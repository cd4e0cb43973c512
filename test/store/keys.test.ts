import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { AUDIT_KEPT, type NewAuditEntry, REFUSALS_KEPT } from "../../src/store/audit.ts";
import type { StoredKey } from "../../src/store/keys.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
beforeEach(() => {
  directory = temporaryDirectory();
  store = openStore(directory.join("state.db"));
});
afterEach(() => {
  store.close();
  directory[Symbol.dispose]();
});

const aKey = (name: string, change: Partial<StoredKey> = {}): StoredKey => ({
  id: `id-of-${name}`,
  name,
  prefix: "hype_1234567",
  digest: `digest-of-${name}`,
  scope: "operate",
  restriction: null,
  rate_per_minute: null,
  expires_at: null,
  created_at: "2026-01-01T00:00:00.000Z",
  last_used_at: null,
  revoked_at: null,
  ...change,
});

describe("keys", () => {
  test("come back as they were, oldest first", () => {
    const full = aKey("full", {
      scope: "read",
      restriction: { vms: ["ci-*"], labels: { "team/x": "quotes ' \" 漢字" } },
      rate_per_minute: 60,
      expires_at: "2027-01-01T00:00:00.000Z",
    });
    const earlier = aKey("earlier", { created_at: "2025-01-01T00:00:00.000Z" });
    store.keys.insert(full);
    store.keys.insert(earlier);
    expect(store.keys.all()).toEqual([earlier, full]);
    expect(store.keys.find("full")).toEqual(full);
    expect(store.keys.find("id-of-full")).toEqual(full);
    expect(store.keys.find("nobody")).toBeNull();
  });

  test("a name, an id or a digest belongs to one key", () => {
    store.keys.insert(aKey("a"));
    expect(() => store.keys.insert(aKey("a", { id: "b", digest: "b" }))).toThrow(
      expect.objectContaining({ code: "key_name_taken" }),
    );
    expect(() => store.keys.insert(aKey("b", { digest: "digest-of-a" }))).toThrow("UNIQUE");
    expect(store.keys.all()).toHaveLength(1);
  });

  test("revoking keeps the row and its first time; a use is noted", () => {
    store.keys.insert(aKey("a"));
    store.keys.insert(aKey("b"));
    store.keys.revoke("id-of-a", "first");
    store.keys.revoke("id-of-a", "second");
    store.keys.touch("id-of-b", "later");
    expect(store.keys.all().map(({ revoked_at, last_used_at }) => [revoked_at, last_used_at])).toEqual([
      ["first", null],
      [null, "later"],
    ]);
  });
});

const anEntry = (change: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  at: "2026-01-01T00:00:00.000Z",
  key_id: "admin",
  key_name: null,
  address: "127.0.0.1",
  method: "POST",
  path: "/api/v1/vms",
  vm: null,
  status: 201,
  error: null,
  duration_ms: 1.5,
  calls: 1,
  ...change,
});
const seqs = (filter: Partial<Parameters<Store["audit"]["list"]>[0]> = {}) =>
  store.audit.list({ limit: 100, ...filter }).map(({ seq }) => seq);

describe("audit", () => {
  test("entries come back as they were", () => {
    const entry = anEntry({ key_name: "ci", vm: "demo", error: "vm_not_found", calls: 7 });
    store.audit.append(entry);
    expect(store.audit.list({ limit: 1 })).toEqual([{ seq: 1, ...entry }]);
  });

  test("the newest in order, or what follows an entry; by key's id or name, by VM", () => {
    for (let n = 0; n < 4; n++) store.audit.append(anEntry());
    store.audit.append(anEntry({ key_id: "k1", key_name: "ci", vm: "demo" }));
    expect(seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(seqs({ limit: 2 })).toEqual([4, 5]);
    expect(seqs({ after: 1, limit: 2 })).toEqual([2, 3]);
    expect(seqs({ key: "ci" })).toEqual([5]);
    expect(seqs({ key: "k1", vm: "demo" })).toEqual([5]);
    expect(seqs({ key: "admin", vm: "demo" })).toEqual([]);
  });

  test("pruning keeps the newest; refusals push out nothing but refusals", () => {
    for (let n = 0; n < 3; n++) store.audit.append(anEntry()); // 1-3
    for (let n = 0; n < 10; n++) store.audit.append(anEntry({ key_id: "none", status: 401 })); // 4-13
    for (const status of [403, 429]) store.audit.append(anEntry({ status })); // 14, 15
    expect(store.audit.prune(100, 3)).toBe(9);
    expect(seqs()).toEqual([1, 2, 3, 13, 14, 15]);
    expect(store.audit.prune(100, 3)).toBe(0);
    expect(store.audit.prune(4, 3)).toBe(2);
    expect(seqs()).toEqual([3, 13, 14, 15]);
    store.audit.append(anEntry());
    expect(seqs().at(-1)).toBe(16);
    expect(AUDIT_KEPT).toBeGreaterThan(REFUSALS_KEPT);
  });
});
