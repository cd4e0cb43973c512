import { closeSync, openSync, readFileSync, readlinkSync, statSync } from "node:fs";

/**
 * Identity of a process: a pid alone is never believed, since pids are reused. `startTicks` is field 22 of /proc/PID/stat (proc(5)).
 * `executable` names the program file by device and inode, which an upgrade of the package does not change for those that run; it is
 * absent while a program is starting, and in what older versions wrote. execve(2) changes it and not the process: it tells whether a
 * process is still what it was started as, never whether it is alive.
 */
export type ProcessIdentity = {
  bootId: string;
  pid: number;
  startTicks: number;
  executable?: string;
};

let boot: string | undefined;
/** Changes with every boot of the host (random(4)). */
export const bootId = (): string => (boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());

/** State letter and start time of a pid, or null when there is none. The command name may hold spaces and brackets: split after the last `)`. */
function stat(pid: number): { state: string; startTicks: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "X", startTicks: Number(fields[19]) };
  } catch {
    return null;
  }
}

/** @returns null when the process is already gone. */
export function identify(pid: number): ProcessIdentity | null {
  const found = stat(pid);
  return found && { bootId: bootId(), pid, startTicks: found.startTicks };
}

/** True while exactly this process runs; a zombie counts as dead. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const found = stat(identity.pid);
  return found !== null && found.startTicks === identity.startTicks && found.state !== "Z" && found.state !== "X";
}

/** Signals exactly this process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Program file of a process, e.g. to tell a VMM from a stranger; null when gone or not ours to see. */
export function executableOf(identity: ProcessIdentity): string | null {
  try {
    return isAlive(identity) ? readlinkSync(`/proc/${identity.pid}/exe`) : null;
  } catch {
    return null;
  }
}

/** The identity of a process that has become the program it was started for. */
export function withExecutable(identity: ProcessIdentity): ProcessIdentity {
  const executable = fileOf(identity);
  return executable === null ? identity : { ...identity, executable };
}

/** False when the process is known to run another program than the one it was written down with, or none. */
export const runsItsProgram = (identity: ProcessIdentity): boolean =>
  isAlive(identity) && (identity.executable === undefined || identity.executable === fileOf(identity));

function fileOf(identity: ProcessIdentity): string | null {
  try {
    if (!isAlive(identity)) return null;
    const { dev, ino } = statSync(`/proc/${identity.pid}/exe`);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/**
 * Waits until a process that may not be our child is gone. The kernel tells only parents, so this looks every 10 ms:
 * for teardown paths, never for a hot one.
 * @returns false when it still lives at the deadline.
 */
export async function waitGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await Bun.sleep(10);
  }
  return true;
}

/**
 * Asks a process to end, then ends it; returns when it is gone. Harmless when it is.
 * @returns false when it lives on: it hangs in the kernel.
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  if (graceMs > 0 && signalProcess(identity, "SIGTERM") && (await waitGone(identity, graceMs))) return true;
  signalProcess(identity, "SIGKILL");
  return await waitGone(identity, 5_000);
}

export type Detached = {
  identity: ProcessIdentity;
  exited: Promise<{ exitCode: number | null; signal: string | null }>;
};

/** Environment variable that names a detached program's directory: it is found by that when nobody wrote its pid down. */
export const DIRECTORY_MARK = "HYPE_DIRECTORY";

/**
 * Starts a program that outlives this one: own session, no pipe to us, output appended to a file.
 * @throws whatever Bun.spawn throws when the program cannot be started.
 */
export function spawnDetached(
  argv: [string, ...string[]],
  options: { cwd: string; logFile: string; env?: Record<string, string> },
): Detached {
  const output = openSync(options.logFile, "a", 0o600);
  try {
    const child = Bun.spawn(argv, {
      cwd: options.cwd,
      env: {
        ...(options.env ?? { PATH: process.env.PATH ?? "/usr/bin:/bin", LANG: "C" }),
        [DIRECTORY_MARK]: options.cwd,
      },
      stdin: "ignore",
      stdout: output,
      stderr: output,
      detached: true,
    });
    child.unref();
    const identity = identify(child.pid) ?? { bootId: bootId(), pid: child.pid, startTicks: -1 };
    return {
      identity,
      exited: child.exited.then(() => ({
        exitCode: child.exitCode,
        signal: child.signalCode === null ? null : String(child.signalCode),
      })),
    };
  } finally {
    closeSync(output);
  }
}
