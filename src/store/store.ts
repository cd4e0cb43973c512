import type { Database } from "bun:sqlite";
import { Artifacts } from "./artifacts.ts";
import { Audit } from "./audit.ts";
import { Events } from "./events.ts";
import { Keys } from "./keys.ts";
import { Leases } from "./leases.ts";
import { Profiles } from "./profiles.ts";
import { LiveLinks } from "./live-links.ts";
import { storeError } from "./store-error.ts";
import { Vms } from "./vms.ts";

/** The state of one server: a repository per table on one connection. All calls are synchronous; only one server holds a state. */
export class Store implements Disposable {
  readonly vms: Vms;
  readonly leases: Leases;
  readonly events: Events;
  readonly keys: Keys;
  readonly audit: Audit;
  readonly profiles: Profiles;
  readonly liveLinks: LiveLinks;
  readonly artifacts: Artifacts;
  readonly #db: Database;

  constructor(
    db: Database,
    readonly path: string,
    /** Copy made before the schema was migrated; null when it was not. */
    readonly backupPath: string | null,
  ) {
    this.#db = db;
    this.vms = new Vms(db);
    this.leases = new Leases(db);
    this.events = new Events(db);
    this.keys = new Keys(db);
    this.audit = new Audit(db);
    this.profiles = new Profiles(db);
    this.liveLinks = new LiveLinks(db);
    this.artifacts = new Artifacts(db);
  }

  /**
   * Runs `change` as one transaction: all of it is kept, or nothing. May be nested.
   * @throws HypeError disk_full | state_locked | state_damaged, and whatever `change` throws.
   */
  write<T>(change: () => T): T {
    try {
      return this.#db.transaction(change).immediate();
    } catch (thrown) {
      throw storeError(thrown, this.path);
    }
  }

  close(): void {
    this.#db.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
