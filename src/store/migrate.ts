import type { Database } from "bun:sqlite";
import { closeSync, openSync, rmSync } from "node:fs";
import { HypeError } from "../contract/index.ts";
import type { Migration } from "./migrations/migrations.ts";

const JOURNAL = `create table if not exists migrations (
  id integer primary key, name text not null, checksum text not null, applied_at text not null
) strict`;

const checksum = (sql: string): string => new Bun.CryptoHasher("sha256").update(sql).digest("hex");

const userVersion = (db: Database): number =>
  db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;

const tables = (db: Database): Set<string> =>
  new Set(
    db
      .query<{ name: string }, []>("select name from sqlite_schema where type = 'table'")
      .all()
      .map((row) => row.name),
  );

/**
 * Looks, without writing, whether this database is ours and not from a later version.
 * @throws HypeError state_too_new | state_damaged
 */
export function inspect(db: Database, path: string, migrations: readonly Migration[]): { version: number } {
  const version = userVersion(db);
  const known = migrations.length;
  if (version > known)
    throw new HypeError("state_too_new", `${path} has schema ${version}; this hype knows up to ${known}`, {
      path,
      found: version,
      known,
    });
  const found = tables(db);
  if (!found.has("migrations")) {
    if (found.size === 0 && version === 0) return { version };
    throw new HypeError("state_damaged", `${path} is a database, but not one of hype's`, { path });
  }
  const journal = db
    .query<{ id: number; name: string; checksum: string }, []>("select id, name, checksum from migrations")
    .all();
  for (const row of journal) {
    const ours = migrations.find((migration) => migration.id === row.id);
    if (!ours)
      throw new HypeError("state_too_new", `${path} holds migration ${row.name}, which this hype does not know`, {
        path,
        migration: row.name,
      });
    if (checksum(ours.sql) !== row.checksum)
      throw new HypeError("state_damaged", `${path} was made by another form of migration ${row.name}`, { path });
  }
  return { version };
}

/**
 * Brings the schema up to date. Every migration is one transaction together with its journal row and `user_version`:
 * a process killed in the middle leaves the state before it. A copy is kept beside the database first, unless it is new.
 * @returns path of that copy, or null when nothing had to be done to an existing database.
 */
export function migrate(db: Database, path: string, migrations: readonly Migration[]): string | null {
  const from = userVersion(db);
  const pending = migrations.filter((migration) => migration.id > from);
  const backup = from > 0 && pending.length > 0 ? backUp(db, `${path}.schema-${from}.bak`) : null;
  for (const migration of pending)
    db.transaction(() => {
      db.run(JOURNAL);
      db.run(migration.sql);
      db.run("insert into migrations (id, name, checksum, applied_at) values (?, ?, ?, ?)", [
        migration.id,
        migration.name,
        checksum(migration.sql),
        new Date().toISOString(),
      ]);
      db.run(`pragma user_version = ${migration.id}`); // part of the transaction: it stands in the database header
    }).immediate();
  return backup;
}

function backUp(db: Database, target: string): string {
  rmSync(target, { force: true });
  closeSync(openSync(target, "wx", 0o600)); // `vacuum into` accepts an empty file and keeps its mode
  db.run("vacuum into ?", [target]);
  return target;
}
