import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupMount } from "../../src/host/cgroup.ts";

/** What a test run could leave on a machine. */
export type Snapshot = {
  processes: Map<string, string>;
  namespaces: Set<string>;
  links: Set<string>;
  temporary: Set<string>;
  cgroups: Set<string>;
};

/** Stands in the environment of every process of one run, so that whatever else happens on the machine is not taken for ours. */
export const RUN_MARK = "OVERHYPED_TEST_RUN";

/** By the run's mark; or, since VMM and network are started with an environment of their own, by a directory below a test's. */
function isOurs(pid: string, run: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    return environment.some(
      (entry) => entry === `${RUN_MARK}=${run}` || entry.startsWith(`HYPE_DIRECTORY=${tmpdir()}/hype-`),
    );
  } catch {
    return false; // it ended, or it is not this user's
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Key: pid and start time, so that a reused pid is another process. Zombies and this process's own ancestors do not count. */
function processes(): Map<string, string> {
  const found = new Map<string, string>();
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (fields[0] !== "Z" && command !== "") found.set(`${pid}@${fields[19]}`, command);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** Those of VMs: `overhyped/<state>/vm-<short id>` in the hierarchy of cgroup v2. */
function cgroups(): Set<string> {
  const mount = cgroupMount();
  if ("reason" in mount) return new Set();
  const parent = join(mount.path, "overhyped");
  return new Set(list(parent).flatMap((state) => list(join(parent, state)).filter((name) => name.startsWith("vm-"))));
}

export function snapshot(): Snapshot {
  return {
    processes: processes(),
    namespaces: new Set(list("/run/netns")),
    links: new Set(list("/sys/class/net")),
    temporary: new Set(list(tmpdir()).filter((name) => name.startsWith("hype-"))),
    cgroups: cgroups(),
  };
}

/** What is there now and was not before, one line each. @param run value of RUN_MARK that the run was started with */
export function leftovers(before: Snapshot, run: string): string[] {
  const now = snapshot();
  return [
    ...[...now.processes]
      .filter(([key]) => !before.processes.has(key) && isOurs(key.split("@")[0] ?? "", run))
      .map(([key, command]) => `process ${key} ${command.slice(0, 120)}`),
    ...[...now.namespaces].filter((name) => !before.namespaces.has(name)).map((name) => `network namespace ${name}`),
    ...[...now.links].filter((name) => !before.links.has(name)).map((name) => `interface ${name}`),
    ...[...now.cgroups].filter((name) => !before.cgroups.has(name)).map((name) => `cgroup ${name}`),
    ...[...now.temporary].filter((name) => !before.temporary.has(name)).map((name) => `temporary file ${name}`),
  ];
}
