import {
  type Artifact,
  type ArtifactKind,
  type ArtifactList,
  cleanFileName,
  HypeError,
  type Vm,
  type VmEvent,
} from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import type { StoredArtifact } from "../store/artifacts.ts";
import type { Store } from "../store/store.ts";
import { compare } from "./compare.ts";
import { ArtifactFiles, type Received, type Source } from "./files.ts";
import { Retention } from "./retention.ts";
import { Space } from "./space.ts";

const MB = 1_048_576;
const DAY_MS = 86_400_000;
/** What is left free on the disk, whatever the quota says: database and logs lie there, too. */
const RESERVE_BYTES = 256 * MB;
/** Rows looked at for one page of somebody who sees few of them. */
const PAGE_ROWS = 1000;
const MOST_SCANNED = 5 * PAGE_ROWS;

export type ArtifactsOptions = {
  directory: string;
  store: Store;
  log: Log;
  quotaMb: number;
  /** 0: for ever. */
  retentionDays: number;
  /** Milliseconds since 1970. */
  clock?: () => number;
  reserveBytes?: number;
  /** Called once an event stands in the journal: an artifact was kept, or deleted. */
  onEvent?: (event: VmEvent) => void;
};

export type NewArtifact = {
  kind: ArtifactKind;
  /** Whoever chose it: it is made a plain file name here. */
  name: string;
  contentType: string;
  vm: Pick<Vm, "id" | "name" | "labels">;
  /** Its id in the guest, where it is kept once only: again, it is the artifact that is there. */
  fileId?: string;
  /** Whoever asks chose the name: one that is there takes it. */
  isNamed?: boolean;
  /** The VM's policy asks: what somebody deleted since is not kept again. */
  byPolicy?: boolean;
};

export type ArtifactQuery = {
  vm?: string | undefined;
  kind?: ArtifactKind | undefined;
  after?: string | undefined;
  limit: number;
};

/** What is kept of VMs: files by their hash, and rows that say what they are. One server holds them. */
export class Artifacts implements Disposable {
  readonly #options: Required<ArtifactsOptions>;
  readonly #files: ArtifactFiles;
  readonly #retention: Retention;
  readonly #space: Space;
  #isClosed = false;

  /** Finishes what an earlier server left half made. @throws HypeError state_unwritable | disk_full */
  constructor(options: ArtifactsOptions) {
    this.#options = { clock: Date.now, reserveBytes: RESERVE_BYTES, onEvent: () => {}, ...options };
    this.#files = new ArtifactFiles(options.directory);
    for (const sha256 of this.#files.left()) {
      if (!this.#rows.holds(sha256)) this.#files.remove(sha256);
      this.#files.unmark(sha256);
    }
    this.#space = new Space({
      directory: options.directory,
      quotaBytes: options.quotaMb * MB,
      reserveBytes: this.#options.reserveBytes,
      usedBytes: this.#rows.usedBytes(),
    });
    this.#retention = new Retention({ artifacts: this, ...this.#options });
    this.#retention.arm();
  }

  get #rows(): Store["artifacts"] {
    return this.#options.store.artifacts;
  }
  get usedBytes(): number {
    return this.#space.usedBytes;
  }

  /**
   * Keeps bytes, as they come where the source streams. Until the last one is there and on the disk nothing of it is seen; what fails
   * leaves nothing behind.
   * @param check looks at what came before it counts; what it throws ends it.
   * @throws HypeError artifact_quota_exceeded | disk_full | state_unwritable | shutting_down, artifact_not_found where the policy keeps
   * what was deleted, and whatever the source throws
   */
  async keep(
    what: NewArtifact,
    source: Source,
    check: (received: { sha256: string; size_bytes: number }) => void | Promise<void> = () => {},
  ): Promise<Artifact> {
    using arrival = this.#space.arrival();
    const received = await this.#files.receive(source, (bytes) => {
      this.#mustBeOpen();
      return arrival.take(bytes);
    });
    try {
      await check(received);
      this.#mustBeOpen();
      return shown(this.#commit(what, received));
    } finally {
      this.#files.discard(received);
    }
  }

  /** Nothing else of this server comes in between: two keeps of the same bytes, or a keep and a delete, are one after the other. */
  #commit(what: NewArtifact, received: Received): StoredArtifact {
    const before = this.#keptBefore(what);
    if (before) return before;
    const { kind, name, contentType, vm, fileId } = what;
    const { sha256, size_bytes } = received;
    const nowMs = this.#options.clock();
    const row: StoredArtifact = {
      id: Bun.randomUUIDv7(),
      kind,
      name: cleanFileName(name, kind),
      content_type: cleanContentType(contentType),
      size_bytes,
      sha256,
      vm_id: vm.id,
      vm_name: vm.name,
      vm_labels: vm.labels,
      created_at: new Date(nowMs).toISOString(),
      expires_at:
        this.#options.retentionDays === 0 ? null : new Date(nowMs + this.#options.retentionDays * DAY_MS).toISOString(),
    };
    const isNew = !this.#rows.holds(sha256);
    if (isNew) this.#files.mark(sha256);
    let event: VmEvent;
    try {
      this.#files.place(received);
      event = this.#options.store.write(() => {
        this.#rows.insert(row);
        // A VM that was deleted meanwhile needs no note.
        if (fileId !== undefined && this.#options.store.vms.find(vm.id))
          this.#rows.noteKept(vm.id, kind, fileId, row.id);
        return this.#record("VM_ARTIFACT_KEPT", row);
      });
    } catch (thrown) {
      if (isNew) this.#files.remove(sha256);
      throw thrown;
    } finally {
      if (isNew) this.#files.unmark(sha256);
    }
    if (isNew) this.#space.add(size_bytes);
    this.#retention.arm();
    this.#options.onEvent(event);
    return row;
  }

  /** Where two keep the same file of a guest at once, the second gets the artifact of the first. */
  #keptBefore({ vm, kind, name, fileId, isNamed, byPolicy }: NewArtifact): StoredArtifact | null {
    const id = fileId === undefined ? null : this.#rows.keptAs(vm.id, kind, fileId);
    const row = id === null ? null : this.#rows.find(id);
    if (id !== null && row === null && byPolicy)
      throw new HypeError("artifact_not_found", `it was kept as ${id} before, and deleted`, { artifact: id });
    if (row && isNamed) {
      row.name = cleanFileName(name, kind);
      this.#options.store.write(() => this.#rows.rename(row.id, row.name));
    }
    return row;
  }

  /** @param isSeen for a caller who may not see all; not given: all. @throws HypeError artifact_not_found */
  get(id: string, isSeen?: (artifact: StoredArtifact) => boolean): Artifact {
    const row = this.#rows.find(id);
    if (!row || (isSeen && !isSeen(row)))
      throw new HypeError("artifact_not_found", `there is no artifact ${id}`, { artifact: id });
    return shown(row);
  }

  /** Newest first. A page may be short and still have a `next`. */
  list({ after, limit, ...filter }: ArtifactQuery, isSeen?: (artifact: StoredArtifact) => boolean): ArtifactList {
    const items: Artifact[] = [];
    let last = after;
    for (let scanned = 0; scanned < MOST_SCANNED; scanned += PAGE_ROWS) {
      const rows = this.#rows.list({
        ...filter,
        after: last,
        limit: isSeen ? PAGE_ROWS : limit + 1,
      });
      for (const row of rows) {
        if (items.length === limit) return { items, next: items.at(-1)!.id };
        last = row.id;
        if (!isSeen || isSeen(row)) items.push(shown(row));
      }
      if (!isSeen || rows.length < PAGE_ROWS) return { items, next: null };
    }
    return { items, next: last ?? null };
  }

  /**
   * Opens the bytes of an artifact; the caller closes the file. It can be read to its end although the artifact is deleted meanwhile.
   * @throws HypeError artifact_damaged
   */
  open({ id, sha256, size_bytes }: Artifact): number {
    const found = this.#files.open(sha256);
    if (found?.size_bytes === size_bytes) return found.file;
    if (found) this.#files.close(found.file);
    const fault = found ? `has ${found.size_bytes} bytes instead of ${size_bytes}` : "is not there";
    throw new HypeError("artifact_damaged", `the file of artifact ${id}, ${this.#files.pathOf(sha256)}, ${fault}`, {
      artifact: id,
    });
  }

  /** The file goes with the last artifact that means it. @throws HypeError artifact_not_found | disk_full | state_unwritable */
  delete(id: string): void {
    const row = this.#rows.find(id);
    if (!row) throw new HypeError("artifact_not_found", `there is no artifact ${id}`, { artifact: id });
    const { sha256, size_bytes } = row;
    const remove = () =>
      this.#options.store.write(() => {
        this.#rows.remove(id);
        return { isLast: !this.#rows.holds(sha256), event: this.#record("VM_ARTIFACT_DELETED", row) };
      });
    const isMarked = this.#tryMark(sha256);
    let removed: ReturnType<typeof remove>;
    try {
      removed = remove();
    } catch (thrown) {
      if (!(thrown instanceof HypeError) || thrown.code !== "disk_full" || this.#rows.sharers(sha256) > 1) throw thrown;
      this.#files.remove(sha256); // what shall go makes the room the database needs
      removed = remove();
    }
    if (removed.isLast) {
      this.#files.remove(sha256);
      this.#space.add(-size_bytes);
    }
    if (isMarked) this.#files.unmark(sha256);
    this.#options.onEvent(removed.event);
  }

  /** Without the file's name: whoever may see that something is kept may not see what. Call inside the transaction. */
  #record(type: VmEvent["type"], { id: artifact, kind, size_bytes, vm_id, vm_name }: StoredArtifact): VmEvent {
    const at = new Date(this.#options.clock()).toISOString();
    return this.#options.store.events.append({ type, vm_id, vm_name, at, data: { artifact, kind, size_bytes } });
  }

  /** A full disk takes no mark; things must be deleted from it all the same. */
  #tryMark(sha256: string): boolean {
    try {
      this.#files.mark(sha256);
      return true;
    } catch (thrown) {
      if (thrown instanceof HypeError && thrown.code === "disk_full") return false;
      throw thrown;
    }
  }

  /** Says in the log where rows and files do not fit together. */
  compare(): Promise<{ missing: number; strangers: number }> {
    return compare(this.#options.store, this.#files, this.#options.log);
  }

  /** What is still being written ends without being kept. Harmless twice. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#retention.disarm();
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new HypeError("shutting_down", "the server is shutting down: nothing was kept");
  }
}

/** Without what is only for us. */
const shown = ({ vm_labels: _labels, ...artifact }: StoredArtifact): Artifact => artifact;

/** A media type without parameters (RFC 9110, section 8.3.1). */
const cleanContentType = (type: string): string => {
  const plain = type.slice(0, 200).split(";")[0]!.trim().toLowerCase();
  return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$/.test(plain)
    ? plain
    : "application/octet-stream";
};
