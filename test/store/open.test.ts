import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ErrorCode, HypeError } from "../../src/contract/index.ts";
import { MIGRATIONS, type Migration } from "../../src/store/migrations/migrations.ts";
import { openStore } from "../../src/store/open.ts";
import { Store } from "../../src/store/store.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hype-store-"));
  path = join(directory, "state", "state.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const codeOf = (work: () => unknown): ErrorCode | "nothing thrown" => {
  try {
    work();
    return "nothing thrown";
  } catch (thrown) {
    if (thrown instanceof HypeError) return thrown.code;
    throw thrown;
  }
};
const mode = (file: string) => statSync(file).mode & 0o777;
const schema = (file: string) => {
  using db = new Database(file, { readonly: true });
  return db.query("select type, name, sql from sqlite_schema where name not like 'sqlite_%' order by name").all();
};
/** The schema as released, and the number of one that a later version might add. */
const CURRENT = MIGRATIONS.length;
const extra: Migration = {
  id: CURRENT + 1,
  name: "later-extra",
  sql: "alter table vms add column extra text; create table more (x) strict",
};
const validExtra: Migration = {
  ...extra,
  sql: "alter table vms add column extra text; create table more (x text) strict;",
};

describe("a new state", () => {
  test("is made with its directories, for its owner only", () => {
    using store = openStore(path);
    store.write(() => {}); // so that the WAL is there
    expect(mode(path)).toBe(0o600);
    expect(mode(join(directory, "state"))).toBe(0o700);
    for (const file of [`${path}-wal`, `${path}-shm`]) if (existsSync(file)) expect(mode(file)).toBe(0o600);
    expect(store.backupPath).toBeNull();
  });

  test("a file others could read is closed to them", () => {
    openStore(path).close();
    Bun.spawnSync(["chmod", "644", path]);
    openStore(path).close();
    expect(mode(path)).toBe(0o600);
  });
});

describe("migrations", () => {
  test("a fresh database equals a migrated one", () => {
    const all = [...MIGRATIONS, validExtra];
    openStore(path).close();
    openStore(path, { migrations: all }).close();
    const fresh = join(directory, "fresh.db");
    openStore(fresh, { migrations: all }).close();
    expect(schema(path)).toEqual(schema(fresh));
    expect(schema(path)).not.toEqual([]);
  });

  test("each is journaled once, also when the state is opened again", () => {
    openStore(path).close();
    openStore(path).close();
    using db = new Database(path, { readonly: true });
    expect(db.query("select id, name from migrations").all()).toEqual(MIGRATIONS.map(({ id, name }) => ({ id, name })));
  });

  test("a copy of the old state is kept, readable by its owner only", () => {
    openStore(path).close();
    const before = schema(path);
    using store = openStore(path, { migrations: [...MIGRATIONS, validExtra] });
    expect(store.backupPath).toBe(`${path}.schema-${CURRENT}.bak`);
    expect(schema(`${path}.schema-${CURRENT}.bak`)).toEqual(before);
    expect(mode(`${path}.schema-${CURRENT}.bak`)).toBe(0o600);
  });

  test("one that fails leaves nothing of itself", () => {
    openStore(path).close();
    const before = schema(path);
    expect(() => openStore(path, { migrations: [...MIGRATIONS, extra] })).toThrow(); // `x` lacks its type
    expect(schema(path)).toEqual(before);
    openStore(path).close();
  });

  test("a process killed in the middle of one leaves the old state", async () => {
    openStore(path).close();
    const before = schema(path);
    // Changes the schema, then works on without end; the file it leaves open says that it is in the middle.
    const program = `
      import { MIGRATIONS } from ${JSON.stringify(join(import.meta.dir, "../../src/store/migrations/migrations.ts"))};
      import { openStore } from ${JSON.stringify(join(import.meta.dir, "../../src/store/open.ts"))};
      const endless = "create table half (x text) strict; pragma user_version = ${CURRENT + 1}; " +
        "insert into half with recursive n(i) as (select 1 union all select i + 1 from n) select i from n;";
      console.log("begun");
      openStore(${JSON.stringify(path)}, { migrations: [...MIGRATIONS, { id: ${CURRENT + 1}, name: "later-endless", sql: endless }] });`;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    const reader = child.stdout.getReader();
    await reader.read();
    // The transaction has begun once its pages spill from the cache into the WAL.
    await until(() => existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 1_000_000);
    child.kill("SIGKILL");
    await child.exited;
    openStore(path).close();
    expect(schema(path)).toEqual(before);
  });
});

test("a VM of the first schema is kept: neither policed nor jailed, as it was", () => {
  openStore(path, { migrations: MIGRATIONS.slice(0, 1) }).close();
  {
    using db = new Database(path);
    db.run(`insert into leases values ('192.168.127.2', 'id-1', 'now')`);
    db.run(`insert into vms (id, name, status, generation, cpu_cores, memory_mb, image, labels, ip_address, created_at, updated_at,
      machine) values ('id-1', 'old', 'running', 1, 1, 1024, 'i', '{}', '192.168.127.2', 'then', 'then', '{"runDir":"/r"}')`);
  }
  using store = openStore(path);
  expect(store.vms.find("old")).toMatchObject({
    status: "running",
    network: null,
    egress_mode: "open",
    isolation: null,
  });
  expect(store.vms.secrets("id-1")).toMatchObject({
    machine: { runDir: "/r" },
    egress: { mode: "open", allow: [], deny: [] },
  });
});

describe("a state that cannot be used is refused and left as it is", () => {
  const cases: { name: string; code: ErrorCode; make: () => void }[] = [
    { name: "no database", code: "state_damaged", make: () => writeFileSync(path, "not a database ".repeat(100)) },
    {
      name: "another program's database",
      code: "state_damaged",
      make: () => {
        using db = new Database(path);
        db.run("create table notes (text)");
      },
    },
    {
      name: "a later schema",
      code: "state_too_new",
      make: () => openStore(path, { migrations: [...MIGRATIONS, validExtra] }).close(),
    },
    {
      name: "a migration we do not know",
      code: "state_too_new",
      make: () => {
        openStore(path).close();
        using db = new Database(path);
        db.run("insert into migrations values (9, '009-later', 'x', 'now')");
      },
    },
    {
      name: "a migration in another form",
      code: "state_damaged",
      make: () => {
        openStore(path).close();
        using db = new Database(path);
        db.run("update migrations set checksum = 'x'");
      },
    },
    {
      name: "pages overwritten",
      code: "state_damaged",
      make: () => {
        openStore(path).close();
        const bytes = readFileSync(path);
        bytes.fill(0xab, 4096, bytes.length);
        writeFileSync(path, bytes);
      },
    },
  ];
  for (const { name, code, make } of cases)
    test(name, () => {
      openStore(path).close();
      rmSync(path);
      make();
      const before = readFileSync(path);
      expect(codeOf(() => openStore(path))).toBe(code);
      expect(readFileSync(path).equals(before)).toBe(true);
    });

  test("held by another program", () => {
    openStore(path).close();
    using db = new Database(path);
    db.run("pragma locking_mode = exclusive");
    db.run("begin exclusive");
    expect(codeOf(() => openStore(path))).toBe("state_locked");
  });

  test("a directory that cannot be made", () => {
    writeFileSync(join(directory, "state"), "a file where the directory should be");
    expect(codeOf(() => openStore(path))).toBe("state_unwritable");
  });

  test("a full disk while working: the transaction is undone", () => {
    openStore(path).close();
    const db = new Database(path, { strict: true });
    // A limit on pages stands for the full disk: SQLite answers SQLITE_FULL to both.
    db.run("pragma max_page_count = 20");
    using store = new Store(db, path, null);
    const event = { type: "VM_CREATED", vm_id: "x", vm_name: "x", at: "x", data: { big: "x".repeat(1e6) } } as const;
    expect(codeOf(() => store.write(() => store.events.append(event)))).toBe("disk_full");
    expect(store.events.lastSeq()).toBe(0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
