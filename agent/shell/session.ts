import { readdirSync, readFileSync } from "node:fs";

/** Between SIGHUP, by which an editor saves what was typed, and SIGKILL, milliseconds; and between two looks meanwhile. */
const GRACE_MS = 1_000;
const LOOK_MS = 50;

/** Hangs up on a session, and ends what does not go of it. Resolves when nothing of it is left. */
export async function endSession(leader: number): Promise<void> {
  for (const pid of membersOf(leader)) signal(pid, "SIGHUP");
  for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += LOOK_MS) {
    if (membersOf(leader).length === 0) return; // its number may be another's from now on
    await Bun.sleep(LOOK_MS);
  }
  killSession(leader);
}

/** A process that forks while it is looked for is found by one of so many looks. */
const LOOKS = 5;

/** Ends every process of a session at once: jobs of a shell have process groups of their own, their session is one. */
export function killSession(leader: number): void {
  for (let look = 0; look < LOOKS; look++) {
    const members = membersOf(leader);
    if (members.length === 0) return;
    for (const pid of members) signal(pid, "SIGKILL");
  }
}

/** @param target a negative number is a process group; harmless when it is gone */
export function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch {
    // gone already
  }
}

function membersOf(session: number): number[] {
  return readdirSync("/proc").flatMap((entry) => {
    const stat = /^\d+$/.test(entry) ? statOf(entry) : null;
    return stat?.session === session && stat.state !== "Z" ? [Number(entry)] : [];
  });
}

/** Fields 3 and 6 of proc_pid_stat(5); the name before them is the process's own choice and may hold anything. */
function statOf(pid: string): { state: string; session: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state = "", , , session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, session: Number(session) };
  } catch {
    return null;
  }
}
