import { Database } from "bun:sqlite";
import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { HypeError } from "../contract/index.ts";
import { inspect, migrate } from "./migrate.ts";
import { MIGRATIONS, type Migration } from "./migrations/migrations.ts";
import { Store } from "./store.ts";
import { storeError } from "./store-error.ts";

/**
 * Set on every connection:
 * - WAL: readers never wait for the writer, a commit appends instead of rewriting.
 * - synchronous=normal: a commit is safe against the death of this process; a power cut may lose the last commits
 *   (never damages the file), and a power cut has ended the VMs they spoke of anyway.
 * - busy_timeout: a backup or a curious `sqlite3` may hold the file for a moment.
 * - foreign_keys: off by default in SQLite; ours keep VM and lease together.
 */
export const PRAGMAS = [
  "pragma busy_timeout = 2000",
  "pragma journal_mode = wal",
  "pragma synchronous = normal",
  "pragma foreign_keys = on",
];

/**
 * Opens the state, made or migrated as needed. Only its owner can read the file: it holds the VMs' tokens.
 * @param options.migrations for tests of migrations.
 * @throws HypeError state_unwritable | state_damaged | state_too_new | state_locked | disk_full; the file is untouched then.
 */
export function openStore(path: string, options: { migrations?: readonly Migration[] } = {}): Store {
  const migrations = options.migrations ?? MIGRATIONS;
  let db: Database | undefined;
  try {
    makePrivateFile(path);
    examine(path, migrations);
    db = new Database(path, { strict: true, readwrite: true });
    for (const pragma of PRAGMAS) db.run(pragma);
    const backupPath = migrate(db, path, migrations);
    return new Store(db, path, backupPath);
  } catch (thrown) {
    db?.close();
    throw storeError(thrown, path);
  }
}

/** Read-only, so that a database we must refuse is not changed by looking at it. */
function examine(path: string, migrations: readonly Migration[]): void {
  if (statSync(path).size === 0) return;
  using db = new Database(path, { strict: true, readonly: true });
  db.run("pragma busy_timeout = 2000");
  inspect(db, path, migrations);
  const verdict = db.query<{ quick_check: string }, []>("pragma quick_check(1)").get()?.quick_check;
  if (verdict !== "ok") throw new HypeError("state_damaged", `${path} is damaged: ${verdict}`, { path });
}

function makePrivateFile(path: string): void {
  const unwritable = (cause: unknown) =>
    new HypeError("state_unwritable", `uid ${process.getuid?.()} cannot write ${path}`, { path }, { cause });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (existsSync(path)) {
      accessSync(path, constants.R_OK | constants.W_OK);
      chmodSync(path, 0o600);
    } else closeSync(openSync(path, "wx", 0o600)); // SQLite gives -wal and -shm the mode of the database
    accessSync(dirname(path), constants.W_OK); // they are made beside it
  } catch (thrown) {
    throw (thrown as { code?: string }).code === "ENOSPC"
      ? new HypeError("disk_full", `no space left while writing ${path}`, { path }, { cause: thrown })
      : unwritable(thrown);
  }
}
