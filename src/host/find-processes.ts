import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { DIRECTORY_MARK, identify, isAlive, type ProcessIdentity } from "./process.ts";

/**
 * Programs started by `spawnDetached` with their working directory at or below `directory`. They are known by a mark in
 * their environment (proc_pid_environ(5)), so they are found even when the server died before it wrote their pid down.
 * A process whose environment this user may not read is not found.
 */
export function findProcesses(directory: string): ProcessIdentity[] {
  const exact = `${DIRECTORY_MARK}=${directory}`;
  const found: ProcessIdentity[] = [];
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const identity = identify(pid);
    if (!identity || !isAlive(identity)) continue;
    const marked = environmentOf(pid).some((entry) => entry === exact || entry.startsWith(`${exact}${sep}`));
    if (marked && isAlive(identity)) found.push(identity);
  }
  return found;
}

/** Processes a directory's `*.pid` files name (JSON of a ProcessIdentity); files of any other form are passed over. */
export function namedProcesses(directory: string): ProcessIdentity[] {
  const identities: ProcessIdentity[] = [];
  for (const file of list(directory).filter((name) => name.endsWith(".pid"))) {
    try {
      const { bootId, pid, startTicks } = JSON.parse(readFileSync(join(directory, file), "utf8")) as ProcessIdentity;
      if (typeof bootId === "string" && Number.isInteger(pid) && Number.isInteger(startTicks))
        identities.push({ bootId, pid, startTicks });
    } catch {
      // half-written or another program's form
    }
  }
  return identities;
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
