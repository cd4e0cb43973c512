import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { messageOf } from "../../contract/index.ts";
import { DEFAULT_SETTINGS, type Settings } from "../state/state.ts";
import { THEME_NAMES } from "../theme/themes.ts";

const MOST_BYTES = 1024 * 1024;
const text = v.pipe(v.string(), v.maxLength(8_192));
const Kept = v.object({
  settings: v.object({
    theme: v.optional(v.picklist(["auto", ...THEME_NAMES]), DEFAULT_SETTINGS.theme),
    sort: v.optional(
      v.object({ field: v.picklist(["name", "status", "age", "cpu", "memory", "page"]), descending: v.boolean() }),
      DEFAULT_SETTINGS.sort,
    ),
    groupBy: v.optional(v.nullable(text), null),
    bell: v.optional(v.boolean(), false),
    hiddenColumns: v.optional(v.pipe(v.array(text), v.maxLength(50)), []),
    servers: v.optional(v.pipe(v.array(text), v.maxLength(50)), []),
  }),
  history: v.optional(v.pipe(v.array(text), v.maxLength(1_000)), []),
});

/** What stays from one start of the terminal interface to the next. No key is in it. */
export type Remembered = { settings: Settings; history: string[] };

const nothing = (): Remembered => ({ settings: structuredClone(DEFAULT_SETTINGS), history: [] });

/** Settings as they were left. A file that cannot be used is left alone, and `problem` says why. */
export function loadRemembered(path: string): Remembered & { problem: string | null } {
  try {
    const content = readFileSync(path, "utf8");
    if (content.length > MOST_BYTES) return { ...nothing(), problem: `${path} is too large to be mine` };
    return { ...v.parse(Kept, JSON.parse(content)), problem: null };
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "ENOENT") return { ...nothing(), problem: null };
    return { ...nothing(), problem: `${path} cannot be used: ${messageOf(thrown)}` };
  }
}

/** Writes them whole or not at all; 0600. @throws what the file system throws */
export function saveRemembered(path: string, remembered: Remembered): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const half = `${path}.${process.pid}.new`;
  try {
    const file = openSync(half, "w", 0o600);
    try {
      writeSync(file, `${JSON.stringify(remembered, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(half, path);
  } catch (thrown) {
    rmSync(half, { force: true });
    throw thrown;
  }
}
