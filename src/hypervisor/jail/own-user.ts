import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import { enter, OPEN_FILES } from "./command.ts";
import type { Unavailable } from "./host-jailer.ts";

const PROBE_DEADLINE_MS = 10_000;

export type UserWish = {
  base: number;
  /** Leases there can be: the users follow `base`. */
  count: number;
  /** VMMs are to open /dev/kvm. */
  kvm: boolean;
  /** VMMs are to attach taps. */
  tap: boolean;
  /** Kernel and initramfs set by the operator. */
  files: readonly string[];
  /** The VMMs of this host that are there. */
  programs: readonly string[];
};

/** Can VMMs have users of their own here? Asked of the devices' modes, of who else has such users, and of the programs by running them so. */
export async function ownUser(wish: UserWish): Promise<{ base: number; groups: number[] } | Unavailable> {
  const kvm = wish.kvm ? deviceGroup("/dev/kvm") : { group: null };
  if ("reason" in kvm) return kvm;
  const tap = wish.tap ? deviceGroup("/dev/net/tun") : { group: null };
  if ("reason" in tap) return tap;
  const taken = takenUser(wish.base, wish.count, read("/etc/passwd"), read("/etc/subuid"));
  if (taken !== null) return { reason: `${taken}: set OVERHYPED_UID_BASE to a range that nobody has` };
  const closed = wish.files.find((file) => !isReadable(file));
  if (closed !== undefined) return { reason: `${closed} may be read by root only: chmod o+r it` };
  const groups = [...new Set([kvm.group, tap.group].filter((group) => group !== null))];
  const uid = wish.base + wish.count - 1;
  const faults = await Promise.all(
    (wish.programs.length > 0 ? wish.programs : [null]).map((program) => probe(uid, groups, program)),
  );
  const fault = faults.find((found) => found !== null);
  return fault === undefined ? { base: wish.base, groups } : { reason: fault };
}

/** The group by which others than root may open a device, null where everybody may, or why nobody else may. */
export function deviceGroup(path: string): { group: number | null } | Unavailable {
  let found: { mode: number; gid: number };
  try {
    found = statSync(path);
  } catch {
    return { group: null }; // not there: nobody is kept from it
  }
  if ((found.mode & 0o006) === 0o006) return { group: null };
  if ((found.mode & 0o060) === 0o060 && found.gid !== 0) return { group: found.gid };
  return {
    reason: `${path} may be opened by root only: give it to a group (chgrp kvm ${path}; chmod 0660 ${path})`,
  };
}

/** @returns who has a user between `base` and `base + count`, in words; null: nobody (passwd(5), subuid(5)). */
export function takenUser(base: number, count: number, passwd: string, subuid: string): string | null {
  const end = base + count;
  for (const [name, , uid] of passwd.split("\n").map((line) => line.split(":")))
    if (uid && Number(uid) >= base && Number(uid) < end) return `user ${name} has the id ${uid}`;
  for (const [name, first, size] of subuid.split("\n").map((line) => line.split(":")))
    if (first && size && Number(first) < end && Number(first) + Number(size) > base)
      return `/etc/subuid gives ${name} the ids from ${first} on`;
  return null;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isReadable(file: string): boolean {
  try {
    return (statSync(file).mode & 0o004) !== 0;
  } catch {
    return true; // not there: it is said where it is wanted
  }
}

/** @returns null when the program runs as that user without a capability, else what it or the kernel said. */
async function probe(uid: number, groups: readonly number[], program: string | null): Promise<string | null> {
  const argv = enter(
    {
      uid,
      groups,
      dropCapabilities: "all",
      noNewPrivileges: true,
      cgroup: null,
      files: [],
      network: "host",
      fileLimitMb: 1,
      openFiles: OPEN_FILES,
      maxTasks: 256,
    },
    program === null ? ["true"] : [program, "--version"],
  );
  try {
    const { code, stderr } = await run(argv, { cwd: "/", timeoutMs: PROBE_DEADLINE_MS });
    if (code === 0) return null;
    return `${program ?? "a program"} does not run as uid ${uid}: ${tail(stderr, 2) || `exit ${code}`}`;
  } catch (thrown) {
    return `${program ?? "a program"} does not run as uid ${uid}: ${messageOf(thrown)}`;
  }
}
