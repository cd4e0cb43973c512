import { chmodSync, chownSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { HypeError } from "../../contract/errors.ts";
import { fileError, writeAtomic } from "../../host/files.ts";
import { findGroup } from "../host/accounts.ts";
import type { Action, Kind } from "./action.ts";

type File = Extract<Action, { kind: "file" }>;
/** `content` is null where it is not ours to know: settings may hold keys, and the record is public. */
type State = { mode: number; uid: number; gid: number; content: string | null } | null;

function look({ path, settings }: File): State {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  if (!found.isFile()) throw new HypeError("setup_failed", `${path} is there and is no file: move it away`, { path });
  const content = settings ? null : read(path);
  return { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, content };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** The number of a group that may be made in the same run; null while it is not there. */
const gidOf = (group: string | undefined): number | null => (group === undefined ? 0 : (findGroup(group)?.gid ?? null));

function write(path: string, content: string, mode: number, uid: number, gid: number): void {
  try {
    writeAtomic(path, content, 0o600);
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

export const file: Kind<File> = {
  programs: () => [],
  commands: () => [],
  observe: async (action) => look(action),
  isDone({ mode, group, content, settings }, now) {
    const state = now as State;
    if (!state) return false;
    if (state.mode !== mode || state.uid !== 0 || state.gid !== gidOf(group)) return false;
    return settings === true || state.content === content;
  },
  async apply({ path, mode, group, content, settings }, now) {
    const gid = gidOf(group);
    if (gid === null) throw new HypeError("setup_failed", `the group ${group} of ${path} is not there`, { path });
    if (settings && now !== null) {
      chownSync(path, 0, gid);
      chmodSync(path, mode);
    } else write(path, content, mode, 0, gid);
  },
  async restore(action, before, how) {
    const was = before as State;
    const now = look(action);
    if (was && was.content !== null) write(action.path, was.content, was.mode, was.uid, was.gid);
    else if (was && now) {
      chownSync(action.path, was.uid, was.gid);
      chmodSync(action.path, was.mode);
    } else if (now) return remove(action, how);
    return null;
  },
};

/** Settings that somebody edited are data: their group goes, they stay. */
function remove({ path, content, settings }: File, how: "failed" | "uninstall" | "purge"): string | null {
  if (how === "uninstall" && settings && read(path) !== content) {
    chownSync(path, 0, 0);
    return `${path} is kept: it was edited`;
  }
  rmSync(path, { force: true });
  return null;
}
