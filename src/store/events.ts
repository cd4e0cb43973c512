import type { Database } from "bun:sqlite";
import type { EventType, VmEvent } from "../contract/index.ts";

export type NewEvent = Omit<VmEvent, "seq">;
type Row = Omit<VmEvent, "data"> & { data: string };

/** How many events are kept; older ones are pruned. About 25 MB. */
export const EVENTS_KEPT = 100_000;

const toEvent = (row: Row): VmEvent => ({ ...row, data: row.data === "{}" ? {} : JSON.parse(row.data) });

/** The journal of everything that happened to VMs. `seq` has no gaps: it is given and rolled back with the transaction. */
export class Events {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Call inside the transaction of the change it tells of. */
  append(event: NewEvent): VmEvent {
    const { lastInsertRowid } = this.#db
      .query("insert into events (type, vm_id, vm_name, at, data) values (?, ?, ?, ?, ?)")
      .run(event.type, event.vm_id, event.vm_name, event.at, JSON.stringify(event.data));
    return { seq: Number(lastInsertRowid), ...event };
  }

  /** In order of `seq`. @param filter.vm name or id, of living and deleted VMs. */
  list(filter: { after: number; limit: number; vm?: string | undefined; type?: EventType | undefined }): VmEvent[] {
    const where = ["seq > ?"];
    const values: (string | number)[] = [filter.after];
    if (filter.vm !== undefined) {
      where.push("(vm_id = ? or vm_name = ?)");
      values.push(filter.vm, filter.vm);
    }
    if (filter.type !== undefined) {
      where.push("type = ?");
      values.push(filter.type);
    }
    return this.#db
      .query<Row, (string | number)[]>(`select * from events where ${where.join(" and ")} order by seq limit ?`)
      .all(...values, filter.limit)
      .map(toEvent);
  }

  /** The newest `seq`; 0 before the first event. */
  lastSeq(): number {
    // sqlite_sequence, not max(seq): it stays true when everything was pruned.
    const row = this.#db.query<{ seq: number }, []>("select seq from sqlite_sequence where name = 'events'").get();
    return row?.seq ?? 0;
  }

  /** Keeps the newest `keep` events. @returns how many were dropped. */
  prune(keep = EVENTS_KEPT): number {
    return this.#db.query("delete from events where seq <= ?").run(this.lastSeq() - keep).changes;
  }
}
