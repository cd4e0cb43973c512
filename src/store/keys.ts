import type { Database } from "bun:sqlite";
import { HypeError, type Key, type KeyRestriction, type Scope } from "../contract/index.ts";

/** A key as it lies in the store: what everybody may see of it, and the digest it is known by. */
export type StoredKey = Key & { digest: string };
type Row = Omit<StoredKey, "restriction" | "scope"> & { restriction: string | null; scope: string };

const COLUMNS =
  "id, name, prefix, digest, scope, restriction, rate_per_minute, expires_at, created_at, last_used_at, revoked_at";

const toKey = (row: Row): StoredKey => ({
  ...row,
  scope: row.scope as Scope,
  restriction: row.restriction === null ? null : (JSON.parse(row.restriction) as KeyRestriction),
});

/** API keys, by digest: the keys themselves are nowhere. Revoked ones stay, so that the audit's names keep their meaning. */
export class Keys {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** @throws HypeError key_name_taken, by a revoked key as well */
  insert(key: StoredKey): void {
    if (this.find(key.name))
      throw new HypeError("key_name_taken", `there is a key named ${key.name} already`, { name: key.name });
    const { restriction, ...plain } = key;
    this.#db
      .query(
        `insert into keys (${COLUMNS}) values ($id, $name, $prefix, $digest, $scope, $restriction, $rate_per_minute,
         $expires_at, $created_at, $last_used_at, $revoked_at)`,
      )
      .run({ ...plain, restriction: restriction === null ? null : JSON.stringify(restriction) });
  }

  /** Every key, oldest first. */
  all(): StoredKey[] {
    return this.#db.query<Row, []>(`select ${COLUMNS} from keys order by created_at, id`).all().map(toKey);
  }

  /** @param ref a key's id or name; an id wins, since a name may look like one. */
  find(ref: string): StoredKey | null {
    const row = this.#db
      .query<Row, [string]>(`select ${COLUMNS} from keys where id = ?1 or name = ?1 order by id = ?1 desc limit 1`)
      .get(ref);
    return row && toKey(row);
  }

  /** A key that is revoked already keeps its time. */
  revoke(id: string, at: string): void {
    this.#db.query("update keys set revoked_at = ? where id = ? and revoked_at is null").run(at, id);
  }

  touch(id: string, at: string): void {
    this.#db.query("update keys set last_used_at = ? where id = ?").run(at, id);
  }
}
