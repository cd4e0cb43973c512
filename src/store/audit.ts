import type { Database } from "bun:sqlite";
import type { AuditEntry } from "../contract/index.ts";

export type NewAuditEntry = Omit<AuditEntry, "seq">;

/** How many entries are kept; older ones are pruned. About 20 MB. */
export const AUDIT_KEPT = 100_000;
/** How many of them may be refusals, so that whoever knocks with bad keys can push out nothing but other refusals. */
export const REFUSALS_KEPT = 20_000;

const COLUMNS = "at, key_id, key_name, address, method, path, vm, status, error, duration_ms, calls";
const REFUSAL = "(status in (401, 403, 429) or key_id = 'none')";

/** Who changed what. `seq` grows; it is the cursor of a reader. */
export class Audit {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Call it in a transaction when there are many. */
  append(entry: NewAuditEntry): void {
    this.#db
      .query(
        `insert into audit (${COLUMNS})
         values ($at, $key_id, $key_name, $address, $method, $path, $vm, $status, $error, $duration_ms, $calls)`,
      )
      .run(entry);
  }

  /**
   * In order of `seq`: those after `after`, or, when that is not given, the newest.
   * @param filter.key id or name of a key. @param filter.vm as it stands in the entries.
   */
  list(filter: {
    after?: number | undefined;
    limit: number;
    key?: string | undefined;
    vm?: string | undefined;
  }): AuditEntry[] {
    const where = ["seq > ?"];
    const values: (string | number)[] = [filter.after ?? 0];
    if (filter.key !== undefined) {
      where.push("(key_id = ? or key_name = ?)");
      values.push(filter.key, filter.key);
    }
    if (filter.vm !== undefined) {
      where.push("vm = ?");
      values.push(filter.vm);
    }
    const order = filter.after === undefined ? "desc" : "asc";
    const rows = this.#db
      .query<AuditEntry, (string | number)[]>(
        `select seq, ${COLUMNS} from audit where ${where.join(" and ")} order by seq ${order} limit ?`,
      )
      .all(...values, filter.limit);
    return order === "desc" ? rows.reverse() : rows;
  }

  /** Keeps the newest `keep` entries, and among them the newest `refusals` refusals. @returns how many were dropped. */
  prune(keep = AUDIT_KEPT, refusals = REFUSALS_KEPT): number {
    const newest = (where: string) => `select seq from audit ${where} order by seq desc limit 1 offset ?`;
    return (
      this.#db.query(`delete from audit where ${REFUSAL} and seq <= (${newest(`where ${REFUSAL}`)})`).run(refusals)
        .changes + this.#db.query(`delete from audit where seq <= (${newest("")})`).run(keep).changes
    );
  }
}
