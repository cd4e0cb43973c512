import { chmodSync, chownSync, lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { HypeError } from "../../contract/errors.ts";
import { fileError } from "../../host/files.ts";
import type { Action, Kind } from "./action.ts";

type Directory = Extract<Action, { kind: "directory" }>;
type State = { mode: number; uid: number; gid: number } | null;

/** A symbolic link or a file in a directory's place is not followed: root would then own what it points to. */
function look(path: string): State {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  if (!found.isDirectory())
    throw new HypeError("setup_failed", `${path} is there and is no directory: move it away`, { path });
  return { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
}

export const directory: Kind<Directory> = {
  programs: () => [],
  commands: () => [],
  observe: async ({ path, common }) => (common ? lookThroughLinks(path) : look(path)),
  isDone({ mode, common }, now) {
    const state = now as State;
    if (!state || common) return state !== null;
    return state.mode === mode && state.uid === 0 && state.gid === 0;
  },
  async apply({ path, mode }, now) {
    try {
      if (now === null) mkdirSync(path, { mode });
      chownSync(path, 0, 0);
      chmodSync(path, mode); // the umask has no say
    } catch (thrown) {
      throw fileError(thrown, path);
    }
  },
  async restore({ path, data, scratch }, before, how) {
    const was = before as State;
    if (!look(path)) return null;
    if (was) {
      chownSync(path, was.uid, was.gid);
      chmodSync(path, was.mode);
      return null;
    }
    if ((how === "purge" && data) || (how !== "failed" && scratch)) {
      rmSync(path, { recursive: true, force: true });
      return null;
    }
    try {
      rmdirSync(path);
      return null;
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "ENOTEMPTY") throw fileError(thrown, path);
      return `${path} is kept: it holds files`;
    }
  },
};

/** /usr/local/share may well be a link to elsewhere; what many programs share is theirs to arrange. */
function lookThroughLinks(path: string): State {
  try {
    return look(path);
  } catch (thrown) {
    if (lstatSync(path).isSymbolicLink()) return { mode: 0, uid: 0, gid: 0 };
    throw thrown;
  }
}
