import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Protocol } from "devtools-protocol";
import type { Connection } from "../cdp/connection.ts";
import type { Context } from "./context.ts";
import { levelDbKeys } from "./leveldb-keys.ts";
import type { OwnTargets } from "./own-targets.ts";

/** `withDatabases`: those that have an IndexedDB; null: any of them may. */
export type KnownOrigins = { all: string[]; withDatabases: ReadonlySet<string> | null };

/** Origins remembered per context; beyond it the oldest are forgotten. */
const MAX_REMEMBERED = 5_000;

/**
 * Which origins may have kept something. DevTools cannot say: what is on the disk of the browser's own context, what tabs and
 * frames show now, and where tabs have been since this agent looks on (an isolated context is on no disk).
 */
export class Origins {
  #visited = new Map<string, Set<string>>(); // context -> origins

  /** @param profile Chromium's user data directory */
  constructor(
    private readonly profile: string,
    private readonly own: OwnTargets,
  ) {}

  /** Listens on a connection that discovers targets; costs nothing beyond what it hears anyway. */
  watch(connection: Connection): void {
    const note = ({ targetInfo }: { targetInfo: Protocol.Target.TargetInfo }) => this.#note(targetInfo);
    connection.on("Target.targetCreated", note);
    connection.on("Target.targetInfoChanged", note);
  }

  async of(context: Context): Promise<KnownOrigins> {
    await this.#noteShown(context);
    const found = new Set(this.#visited.get(context.id));
    if (!context.isDefault) return { all: [...found].sort(), withDatabases: null };
    const profile = join(this.profile, "Default");
    const withDatabases = databaseOrigins(profile);
    for (const origin of [...localStorageOrigins(profile), ...(withDatabases ?? [])]) found.add(origin);
    return { all: [...found].sort(), withDatabases };
  }

  /** What was stored just now is on disk some seconds later. */
  remember(contextId: string, origins: Iterable<string>): void {
    const known = this.#visited.get(contextId) ?? new Set();
    this.#visited.set(contextId, known);
    for (const origin of origins) {
      known.delete(origin);
      known.add(origin);
      if (known.size > MAX_REMEMBERED) known.delete(known.values().next().value!);
    }
  }

  /** They keep nothing any more; but what a tab shows may at once keep something again. */
  async forget(context: Context, origins: Iterable<string>): Promise<void> {
    for (const origin of origins) this.#visited.get(context.id)?.delete(origin);
    await this.#noteShown(context);
  }

  async #noteShown(context: Context): Promise<void> {
    const { targetInfos } = await context.send("Target.getTargets", {});
    for (const targetInfo of targetInfos) this.#note(targetInfo);
  }

  #note({ targetId, browserContextId = "", url }: Protocol.Target.TargetInfo): void {
    const origin = originOf(url);
    if (origin !== null && !this.own.has(targetId)) this.remember(browserContextId, [origin]);
  }
}

/** null for what keeps nothing of its own: data:, about:, chrome: … */
export function originOf(url: string): string | null {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return null;
  return new URL(url).origin;
}

function localStorageOrigins(profile: string): string[] {
  // META:<storage key>; a partitioned one goes on with /^ and is another site's frame, which no page of ours can open.
  const keys = levelDbKeys(join(profile, "Local Storage", "leveldb"), (key) => /^META:[^\0^]+$/.test(key));
  return keys.flatMap((key) => originOf(key.slice("META:".length)) ?? []);
}

/** null: they are kept in a way we do not know. */
function databaseOrigins(profile: string): Set<string> | null {
  const found = new Set<string>();
  for (const name of namesIn(join(profile, "IndexedDB"))) {
    if (name.endsWith(".indexeddb.blob")) continue; // beside its database
    // storage/common/database/database_identifier.cc: scheme_host_port, port 0 where it is the scheme's own.
    const [, scheme, host, port] = /^([a-z-]+)_(.*)_(\d+)\.indexeddb\.leveldb$/.exec(name) ?? [];
    if (scheme === undefined) return null;
    const origin = originOf(`${scheme}://${host}${port === "0" ? "" : `:${port}`}`);
    if (origin !== null) found.add(origin);
  }
  return found;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
