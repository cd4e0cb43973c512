import { readFileSync } from "node:fs";

/** Files get descriptors 5 to 9: a POSIX shell knows one digit, and drivers use 3 and 4. */
export const FIRST_DESCRIPTOR = 5;
export const MAX_DESCRIPTORS = 5;

/** Disks, taps, sockets and events of a VMM. */
export const OPEN_FILES = 1024;
/** Of 1000 (proc_pid_oom_score_adj(5)): a host that is short of memory ends a VM before the server, and before what else it does. */
const OOM_SCORE = 500;
export const DEFAULT_FILE_LIMIT_MB = 64;

/** What the command is to enter. */
export type Entry = {
  /** User and group; null: those of the server. */
  uid: number | null;
  /** Further groups of that user. */
  groups: readonly number[];
  /** `all`: none is kept, not even as a bound; `none`: an ordinary user has none to give up, or nothing may be given up. */
  dropCapabilities: "all" | "none";
  noNewPrivileges: boolean;
  cgroup: string | null;
  /** Opened before anything is given up, for descriptors from FIRST_DESCRIPTOR on. */
  files: readonly { path: string; mode: "read" | "append" }[];
  /** Named namespace, one of its own without anything in it, or the server's. */
  network: { name: string } | "empty" | "host";
  fileLimitMb: number;
  openFiles: number;
  /** Processes and threads of that user; null: not bounded by a limit. */
  maxTasks: number | null;
};

/**
 * The command that enters all this and then becomes `argv`, in the one order that works: cgroup and files as the server's user, then
 * the namespace, then user and capabilities (setpriv(1)), then the limits. Each link replaces itself (execve(2)): the pid stays.
 */
export function enter(entry: Entry, argv: readonly string[]): [string, ...string[]] {
  const values: string[] = [];
  const value = (text: string) => `"$${values.push(text)}"`;
  const script = [
    ...(entry.cgroup === null ? [] : [`echo $$ >${value(`${entry.cgroup}/cgroup.procs`)} || exit 1`]),
    `echo ${OOM_SCORE} >/proc/self/oom_score_adj`,
    // An over-long write fails instead of ending the program (setrlimit(2): SIGXFSZ).
    "trap '' XFSZ",
    `ulimit -c 0; ulimit -f ${(entry.fileLimitMb * 1_048_576) / 512}; ulimit -n ${upTo(entry.openFiles)}`,
    "umask 077",
    ...entry.files.map(
      ({ path, mode }, index) => `exec ${FIRST_DESCRIPTOR + index}${mode === "read" ? "<" : ">>"}${value(path)}`,
    ),
  ];
  script.push(`shift ${values.length}`, 'exec "$@"');
  return [
    "/bin/sh",
    "-c",
    script.join("; "),
    "sh",
    ...values,
    ...namespace(entry),
    ...identity(entry),
    ...limits(entry),
    ...argv,
  ];
}

function namespace({ network }: Entry): string[] {
  if (network === "host") return [];
  return network === "empty" ? ["unshare", "--net", "--"] : ["nsenter", `--net=/run/netns/${network.name}`, "--"];
}

function identity({ uid, groups, dropCapabilities, noNewPrivileges }: Entry): string[] {
  const flags = [
    ...(uid === null ? [] : ["--reuid", String(uid), "--regid", String(uid)]),
    ...(uid === null ? [] : groups.length > 0 ? ["--groups", groups.join(",")] : ["--clear-groups"]),
    ...(dropCapabilities === "all" ? ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"] : []),
    ...(noNewPrivileges ? ["--no-new-privs"] : []),
  ];
  return flags.length === 0 ? [] : ["setpriv", ...flags, "--"];
}

/** A shell's ulimit does not know this one by the same letter everywhere. Counted per user (setrlimit(2)), so it waits for the VM's own. */
const limits = ({ maxTasks }: Entry): string[] => (maxTasks === null ? [] : ["prlimit", `--nproc=${maxTasks}`, "--"]);

let hardLimit: number | undefined;
/** A hard limit cannot be raised again (getrlimit(2)): where the server's own is lower, that one stays. */
function upTo(openFiles: number): number {
  const text = () => readFileSync("/proc/self/limits", "utf8");
  hardLimit ??= Number(/^Max open files\s+\S+\s+(\d+)/m.exec(text())?.[1] ?? Infinity);
  return Math.min(openFiles, hardLimit);
}
