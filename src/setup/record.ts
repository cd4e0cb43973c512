import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { HypeError, messageOf } from "../contract/errors.ts";
import { writeAtomic } from "../host/files.ts";
import { type Action, type Before, identityOf } from "./actions/action.ts";
import { ETC } from "./plan.ts";

export const RECORD_FILE = join(ETC, "setup.json");

const text = v.string();
/** As written by us; the file is root's, but a half-edited one must not make an uninstall guess. */
const Known = v.variant("kind", [
  v.object({ kind: v.literal("group"), name: text }),
  v.object({ kind: v.literal("user"), name: text, home: text }),
  v.object({ kind: v.literal("member"), user: text, group: text }),
  v.object({
    kind: v.literal("directory"),
    path: v.pipe(text, v.startsWith("/")),
    mode: v.number(),
    common: v.optional(v.literal(true)),
    data: v.optional(v.literal(true)),
    scratch: v.optional(v.literal(true)),
  }),
  v.object({
    kind: v.literal("file"),
    path: v.pipe(text, v.startsWith("/")),
    mode: v.number(),
    group: v.optional(text),
    content: text,
    settings: v.optional(v.literal(true)),
  }),
  v.object({ kind: v.literal("sysctl"), key: text, value: text }),
  v.object({ kind: v.literal("unit"), name: text, again: v.picklist(["restart", "reload"]) }),
]);
const Recorded = v.object({
  version: v.literal(1),
  entries: v.array(v.object({ action: Known, before: v.unknown() })),
});
export type Entry = { action: Action; before: Before };

/**
 * What setup made on this host and what stood there before, so that an uninstall takes back exactly that. An entry is written before its
 * action runs: a setup that was killed leaves nothing that is not in it.
 */
export class SetupRecord {
  readonly #entries: Map<string, Entry>;

  private constructor(entries: Entry[]) {
    this.#entries = new Map(entries.map((entry) => [identityOf(entry.action), entry]));
  }

  /** @returns an empty one where setup never ran. @throws HypeError setup_failed when the file cannot be used */
  static load(): SetupRecord {
    let content: string;
    try {
      content = readFileSync(RECORD_FILE, "utf8");
    } catch (thrown) {
      if ((thrown as { code?: string }).code === "ENOENT") return new SetupRecord([]);
      throw new HypeError("setup_failed", `${RECORD_FILE} cannot be read: ${messageOf(thrown)}`);
    }
    try {
      return new SetupRecord(v.parse(Recorded, JSON.parse(content)).entries as Entry[]);
    } catch (thrown) {
      const why = `${RECORD_FILE} is not what \`hype setup\` wrote: ${messageOf(thrown)}`;
      throw new HypeError(
        "setup_failed",
        `${why}. Move it away to set up anew; an uninstall then no longer knows what was there before`,
      );
    }
  }

  /** In the order they were made. */
  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  has(action: Action): boolean {
    return this.#entries.has(identityOf(action));
  }

  /** What stood there before the first setup stays; what we write now is remembered. */
  intend(action: Action, before: Before): void {
    const known = this.#entries.get(identityOf(action));
    this.#entries.set(identityOf(action), { action, before: known ? known.before : before });
  }

  forget(action: Action): void {
    this.#entries.delete(identityOf(action));
  }

  /** Written whole or not at all; removed with its last entry. @throws HypeError disk_full | state_unwritable */
  save(): void {
    if (this.#entries.size === 0) return rmSync(RECORD_FILE, { force: true });
    writeAtomic(RECORD_FILE, `${JSON.stringify({ version: 1, entries: this.entries }, null, 1)}\n`, 0o644);
  }
}
