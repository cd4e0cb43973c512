import type { Database } from "bun:sqlite";
import type { LiveLink } from "../contract/index.ts";

/** A link of the live view as it lies in the store. What opens it is signed, not stored. */
export type StoredLink = Omit<LiveLink, "watchers">;
type Row = Omit<StoredLink, "view_only"> & { view_only: number };

const COLUMNS = "id, vm_id, key_id, label, view_only, created_at, expires_at, revoked_at";
const toLink = (row: Row): StoredLink => ({ ...row, view_only: row.view_only === 1 });

/** Links of the live view. They stay for a while after their end, so that a page can be told why it ended. */
export class LiveLinks {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  insert({ view_only, ...link }: StoredLink): void {
    this.#db
      .query(
        `insert into live_links (${COLUMNS}) values ($id, $vm_id, $key_id, $label, $view_only, $created_at, $expires_at, $revoked_at)`,
      )
      .run({ ...link, view_only: view_only ? 1 : 0 });
  }

  find(id: string): StoredLink | null {
    const row = this.#db.query<Row, [string]>(`select ${COLUMNS} from live_links where id = ?`).get(id);
    return row && toLink(row);
  }

  /** Those of one VM, oldest first. */
  of(vmId: string): StoredLink[] {
    return this.#db
      .query<Row, [string]>(`select ${COLUMNS} from live_links where vm_id = ? order by created_at, id`)
      .all(vmId)
      .map(toLink);
  }

  /** A link that is revoked already keeps its time. */
  revoke(id: string, at: string): void {
    this.#db.query("update live_links set revoked_at = ? where id = ? and revoked_at is null").run(at, id);
  }

  /** Forgets links that ended before a time (ISO 8601). */
  prune(before: string): void {
    this.#db.query("delete from live_links where expires_at < ?").run(before);
  }
}
