import type { Database } from "bun:sqlite";
import type { Profile } from "../contract/index.ts";

/** A profile as it lies in the store; its content is the file named by id and revision. */
export type StoredProfile = Profile & { revision: number };

const COLUMNS = "id, name, kind, chromium, revision, cookies, origins, size_bytes, created_at, updated_at";

/** What profiles there are, by name. Their content is not here. */
export class Profiles {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  find(name: string): StoredProfile | null {
    return this.#db.query<StoredProfile, [string]>(`select ${COLUMNS} from profiles where name = ?`).get(name);
  }

  /** Every profile, by name. */
  all(): StoredProfile[] {
    return this.#db.query<StoredProfile, []>(`select ${COLUMNS} from profiles order by name`).all();
  }

  /** Adds a profile, or gives the one with that id another revision. */
  put(profile: StoredProfile): void {
    this.#db
      .query(
        `insert into profiles (${COLUMNS})
         values ($id, $name, $kind, $chromium, $revision, $cookies, $origins, $size_bytes, $created_at, $updated_at)
         on conflict (id) do update set kind = $kind, chromium = $chromium, revision = $revision, cookies = $cookies, origins = $origins,
         size_bytes = $size_bytes, updated_at = $updated_at`,
      )
      .run({ ...profile });
  }

  remove(id: string): void {
    this.#db.query("delete from profiles where id = ?").run(id);
  }
}
