import { closeSync, fstatSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { openRegular } from "./files.ts";
import { DIRECTORY_MARK, identify, isAlive, type ProcessIdentity } from "./process.ts";

const ownUser = (uid: number): boolean => uid === process.getuid?.();

/**
 * Programs started by `spawnDetached` with their working directory at or below `directory`. They are known by a mark in
 * their environment (proc_pid_environ(5)), so they are found even when the server died before it wrote their pid down.
 * A process whose environment this user may not read is not found.
 * @param isOurs by real user: anybody can start a process of his own with that mark, so other users' are passed over.
 */
export function findProcesses(directory: string, isOurs: (uid: number) => boolean = ownUser): ProcessIdentity[] {
  const exact = `${DIRECTORY_MARK}=${directory}`;
  const found: ProcessIdentity[] = [];
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const identity = identify(pid);
    if (!identity || !isAlive(identity)) continue;
    const marked = environmentOf(pid).some((entry) => entry === exact || entry.startsWith(`${exact}${sep}`));
    if (marked && isOurs(userOf(pid)) && isAlive(identity)) found.push(identity);
  }
  return found;
}

/** A ProcessIdentity is not longer. */
const PID_FILE_BYTES = 1024;

/** Processes a directory's `*.pid` files name (JSON of a ProcessIdentity); files of any other form or of another user are passed over. */
export function namedProcesses(directory: string): ProcessIdentity[] {
  const identities: ProcessIdentity[] = [];
  for (const file of list(directory).filter((name) => name.endsWith(".pid"))) {
    try {
      const { bootId, pid, startTicks } = JSON.parse(readOwn(join(directory, file))) as ProcessIdentity;
      if (typeof bootId === "string" && Number.isInteger(pid) && Number.isInteger(startTicks))
        identities.push({ bootId, pid, startTicks });
    } catch {
      // half-written or another program's form
    }
  }
  return identities;
}

/** Text of a small regular file of this user; empty when it is anything else. */
function readOwn(path: string): string {
  const file = openRegular(path);
  if (file === null) return "";
  try {
    const { uid, size } = fstatSync(file);
    return ownUser(uid) && size <= PID_FILE_BYTES ? readFileSync(file, "utf8") : "";
  } finally {
    closeSync(file);
  }
}

/** Real user of a process (proc_pid_status(5)); the owner of /proc/PID is another where the process may not be dumped. -1: it is gone. */
function userOf(pid: number): number {
  try {
    return Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? -1);
  } catch {
    return -1;
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
