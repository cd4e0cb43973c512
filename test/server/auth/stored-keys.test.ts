import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { type CreateKey, CreateKey as CreateKeySchema, HypeError } from "../../../src/contract/index.ts";
import { Keys } from "../../../src/server/auth/keys.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

const ADMIN = `hype_${"a".repeat(43)}`;
let directory: ReturnType<typeof temporaryDirectory>;
let store: Store;
let keys: Keys;
let now: number;
const open = () => new Keys({ builtIn: { admin: ADMIN }, store, now: () => now });
const wish = (input: Partial<v.InferInput<typeof CreateKeySchema>> = {}): CreateKey =>
  v.parse(CreateKeySchema, { name: "ci", ...input });
const inSeconds = (seconds: number) => new Date(now + seconds * 1000).toISOString();

beforeEach(() => {
  directory = temporaryDirectory();
  store = openStore(directory.join("state.db"));
  now = Date.parse("2026-01-01T00:00:00.000Z");
  keys = open();
});
afterEach(() => {
  keys[Symbol.dispose]();
  store.close();
  directory[Symbol.dispose]();
});

describe("a key that is made", () => {
  test("is told once; the database holds its digest and never the key", () => {
    const made = keys.create(wish());
    expect(made.key).toMatch(/^hype_[A-Za-z0-9_-]{43}$/);
    expect(made.prefix).toBe(made.key.slice(0, 12));
    expect(made).toMatchObject({ name: "ci", scope: "operate", restriction: null, rate_per_minute: null });
    const { key, ...rest } = made;
    expect(keys.list()).toEqual([rest]);
    store.write(() => {});
    const bytes = Buffer.concat(["state.db", "state.db-wal"].map((file) => readFileSync(directory.join(file))));
    expect(bytes.includes(made.id)).toBe(true);
    expect(bytes.includes(key.slice(12))).toBe(false);
  });

  test("no two are the same", () => {
    const made = ["a", "b", "c"].map((name) => keys.create(wish({ name })).key);
    expect(new Set(made).size).toBe(3);
  });

  test("is known at once, and by the next server; what is nearly it is not", () => {
    const { key, id } = keys.create(wish({ scope: "read" }));
    for (const ring of [keys, open()]) {
      expect(ring.identify(key)).toMatchObject({ id, name: "ci", scope: "read" });
      expect(ring.identify(`${key.slice(0, -2)}!!`)).toBeNull();
      expect(ring.identify(key.slice(0, 12))).toBeNull();
      expect(ring.identify(ADMIN)).toMatchObject({ id: "admin", scope: "admin" });
    }
  });

  const refused: [name: string, input: Parameters<typeof wish>[0], code: string, message: string][] = [
    ["a name that is taken", { name: "taken" }, "key_name_taken", "there is a key named taken already"],
    ["the name of a revoked key", { name: "revoked" }, "key_name_taken", "there is a key named revoked already"],
    ["a built-in name", { name: "admin" }, "invalid_request", "name means a key that is built in"],
    ["another built-in name", { name: "none" }, "invalid_request", "name means a key"],
    ["an admin with a restriction", { scope: "admin", restriction: { vms: ["a"] } }, "invalid_request", "restriction"],
    ["an expiry that has passed", { expires_at: "2025-12-31T23:59:59Z" }, "invalid_request", "expires_at must lie"],
    ["an expiry now", { expires_at: "2026-01-01T00:00:00.000Z" }, "invalid_request", "expires_at must lie"],
  ];
  for (const [name, input, code, message] of refused)
    test(`${name} is refused: ${code}`, () => {
      keys.create(wish({ name: "taken" }));
      keys.create(wish({ name: "revoked" }));
      keys.revoke("revoked");
      expect(() => keys.create(wish(input))).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) }),
      );
      expect(keys.list()).toHaveLength(2);
    });

  test("an empty restriction is none, also for an admin", () => {
    expect(keys.create(wish({ scope: "admin", restriction: { vms: [], labels: {} } })).restriction).toBeNull();
  });
});

describe("a key that is over", () => {
  test("revoked by name: told so now and by the next server, and never again valid", () => {
    const { key, id } = keys.create(wish());
    const identity = keys.identify(key)!;
    expect(keys.use(identity)).toBeNull();
    now += 5000;
    expect(keys.revoke("ci")).toMatchObject({ id, revoked_at: "2026-01-01T00:00:05.000Z" });
    expect(identity.ended.reason).toMatchObject({ code: "unauthorized", message: "the key ci was revoked" });
    for (const ring of [keys, open()]) expect(ring.use(ring.identify(key)!)).toBe("the key ci was revoked");
  });

  test("revoked while the disk is full: it ends all the same, and the error is told", () => {
    let isFull = false;
    const full = {
      keys: store.keys,
      write: <T>(change: () => T): T => {
        if (isFull) throw new HypeError("disk_full", "no space left");
        return store.write(change);
      },
    };
    using ring = new Keys({ builtIn: {}, store: full, now: () => now });
    const { key } = ring.create(wish());
    isFull = true;
    expect(() => ring.create(wish({ name: "more" }))).toThrow(expect.objectContaining({ code: "disk_full" }));
    expect(() => ring.revoke("ci")).toThrow(expect.objectContaining({ code: "disk_full" }));
    expect(ring.use(ring.identify(key)!)).toBe("the key ci was revoked");
    isFull = false;
    expect(ring.revoke("ci").revoked_at).not.toBeNull();
    expect(ring.list()).toHaveLength(1);
  });

  test("revoked twice keeps its time; by id works", () => {
    const { id } = keys.create(wish());
    const { revoked_at } = keys.revoke(id);
    now += 5000;
    expect(keys.revoke(id).revoked_at).toBe(revoked_at);
  });

  test("a key's id is nobody's name: revoking by it is never ambiguous", () => {
    const { id } = keys.create(wish({ name: "first" }));
    expect(() => keys.create(wish({ name: id }))).toThrow(expect.objectContaining({ code: "key_name_taken" }));
  });

  test.each(["nobody", "admin"])("revoking %s is key_not_found, and harms nothing", (ref) => {
    keys.create(wish());
    expect(() => keys.revoke(ref)).toThrow(expect.objectContaining({ code: "key_not_found" }));
    expect(keys.use(keys.identify(ADMIN)!)).toBeNull();
  });

  test("expired: by the clock, also before the timer went off", () => {
    const { key } = keys.create(wish({ expires_at: inSeconds(60) }));
    const identity = keys.identify(key)!;
    now += 59_999;
    expect(keys.use(identity)).toBeNull();
    now += 1;
    expect(keys.use(identity)).toBe("the key ci has expired");
    expect(identity.ended.aborted).toBe(true);
    expect(open().use(open().identify(key)!)).toBe("the key ci has expired");
  });

  test("expired while nobody calls: the timer ends what it holds open", async () => {
    now = Date.now();
    const running = new Keys({ builtIn: {}, store });
    const { key } = running.create(wish({ expires_at: new Date(Date.now() + 30).toISOString() }));
    const { ended } = running.identify(key)!;
    await new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
    expect(ended.reason).toMatchObject({ message: "the key ci has expired" });
    running[Symbol.dispose]();
  });
});

describe("last use", () => {
  const lastUsed = () => {
    using database = new Database(directory.join("state.db"), { readonly: true });
    return (database.query("select last_used_at from keys").get() as { last_used_at: string | null }).last_used_at;
  };

  test("is written at most once a minute, later than the call, and at the end", () => {
    const { key } = keys.create(wish());
    const identity = keys.identify(key)!;
    expect(keys.list()[0]?.last_used_at).toBeNull();
    keys.use(identity);
    expect(lastUsed()).toBeNull();
    expect(keys.list()[0]?.last_used_at).toBe("2026-01-01T00:00:00.000Z");
    now += 59_000;
    keys.use(identity);
    expect(keys.list()[0]?.last_used_at).toBe("2026-01-01T00:00:00.000Z");
    now += 1_000;
    keys.use(identity);
    keys[Symbol.dispose]();
    expect(lastUsed()).toBe("2026-01-01T00:01:00.000Z");
  });
});
