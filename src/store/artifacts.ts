import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { Artifact, ArtifactKind } from "../contract/index.ts";

/** An artifact with the labels its VM had: what a restricted key may see is decided by them after the VM is gone. */
export type StoredArtifact = Artifact & { vm_labels: Record<string, string> };
type Row = Omit<StoredArtifact, "kind" | "vm_labels"> & { kind: string; vm_labels: string };

const COLUMNS = "id, kind, name, content_type, size_bytes, sha256, vm_id, vm_name, created_at, expires_at, vm_labels";

const toArtifact = (row: Row): StoredArtifact => ({
  ...row,
  kind: row.kind as ArtifactKind,
  vm_labels: JSON.parse(row.vm_labels) as Record<string, string>,
});

export type ArtifactFilter = {
  /** Name or id. */
  vm?: string | undefined;
  kind?: ArtifactKind | undefined;
  /** Older ones than this id. */
  after?: string | undefined;
  limit: number;
};

/** Rows of what is kept, ids growing with time. Several may mean the same bytes. */
export class Artifacts {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  insert({ vm_labels, ...plain }: StoredArtifact): void {
    this.#db
      .query(
        `insert into artifacts (${COLUMNS}) values ($id, $kind, $name, $content_type, $size_bytes, $sha256, $vm_id, $vm_name,
         $created_at, $expires_at, $vm_labels)`,
      )
      .run({ ...plain, vm_labels: JSON.stringify(vm_labels) });
  }

  find(id: string): StoredArtifact | null {
    const row = this.#db.query<Row, [string]>(`select ${COLUMNS} from artifacts where id = ?`).get(id);
    return row && toArtifact(row);
  }

  /** Newest first. */
  list({ vm, kind, after, limit }: ArtifactFilter): StoredArtifact[] {
    const conditions: string[] = [];
    const values: SQLQueryBindings[] = [];
    const where = (condition: string, ...bound: SQLQueryBindings[]) => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (vm !== undefined) where("(vm_id = ? or vm_name = ?)", vm, vm);
    if (kind !== undefined) where("kind = ?", kind);
    if (after !== undefined) where("id < ?", after);
    const clause = conditions.length > 0 ? ` where ${conditions.join(" and ")}` : "";
    return this.#db
      .query<Row, SQLQueryBindings[]>(`select ${COLUMNS} from artifacts${clause} order by id desc limit ?`)
      .all(...values, limit)
      .map(toArtifact);
  }

  remove(id: string): void {
    this.#db.query("delete from artifacts where id = ?").run(id);
  }

  /** Whether any row means these bytes. */
  holds(sha256: string): boolean {
    return this.#db.query("select 1 from artifacts where sha256 = ? limit 1").get(sha256) !== null;
  }

  /** How many rows mean these bytes. */
  sharers(sha256: string): number {
    return this.#db.query<{ n: number }, [string]>("select count(*) as n from artifacts where sha256 = ?").get(sha256)!
      .n;
  }

  /** Size of every file there must be, by its hash. */
  *files(): Generator<{ sha256: string; size_bytes: number }> {
    yield* this.#db
      .query<{ sha256: string; size_bytes: number }, []>("select distinct sha256, size_bytes from artifacts")
      .iterate();
  }

  /** Bytes of all files; what is kept twice counts once. */
  usedBytes(): number {
    const sum = "select coalesce(sum(size_bytes), 0) as bytes from (select distinct sha256, size_bytes from artifacts)";
    return this.#db.query<{ bytes: number }, []>(sum).get()!.bytes;
  }

  /** The first so many that expire, the next to do so first. */
  expiring(limit: number): { id: string; expires_at: string }[] {
    return this.#db
      .query<{ id: string; expires_at: string }, [number]>(
        "select id, expires_at from artifacts where expires_at is not null order by expires_at limit ?",
      )
      .all(limit);
  }

  rename(id: string, name: string): void {
    this.#db.query("update artifacts set name = ? where id = ?").run(name, id);
  }

  /** A file of a VM's guest was kept, as that artifact; it is forgotten with the VM. */
  noteKept(vmId: string, kind: ArtifactKind, fileId: string, artifactId: string): void {
    this.#db
      .query("insert or replace into kept_files (vm_id, kind, file_id, artifact_id) values (?, ?, ?, ?)")
      .run(vmId, kind, fileId, artifactId);
  }
  /** The artifact that a file of a VM's guest was kept as; it may be deleted since. */
  keptAs(vmId: string, kind: ArtifactKind, fileId: string): string | null {
    const query = "select artifact_id from kept_files where vm_id = ? and kind = ? and file_id = ?";
    return this.#db.query<{ artifact_id: string }, string[]>(query).get(vmId, kind, fileId)?.artifact_id ?? null;
  }
  keptCount(vmId: string, kind: ArtifactKind): number {
    const query = "select count(*) as n from kept_files where vm_id = ? and kind = ?";
    return this.#db.query<{ n: number }, string[]>(query).get(vmId, kind)!.n;
  }
}
