import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";

export type Row = { id: string; name: string; ip_address: string; status: string };

/** The VMs in a database, without becoming its server: opened read-only. null where there is none or it cannot be read. */
export function rowsOf(path: string): Row[] | null {
  if (!existsSync(path)) return null;
  try {
    using db = new Database(path, { readonly: true, strict: true });
    db.run("pragma busy_timeout = 2000");
    return db.query<Row, []>("select id, name, ip_address, status from vms").all();
  } catch {
    return null;
  }
}
