import { existsSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HypeError, messageOf } from "../contract/index.ts";

/** A SIGKILLed VMM first gives its guest's memory back; one that takes longer hangs in the kernel. */
const DEATH_DEADLINE_MS = 10_000;

/** Where cgroup v2 is mounted (proc_pid_mountinfo(5): field 5, after ` - ` the type), or why there is none that can be written. */
export function cgroupMount(
  mountinfo: string = readFileSync("/proc/self/mountinfo", "utf8"),
): { path: string } | { reason: string } {
  const found = mountinfo
    .split("\n")
    .map((line) => line.split(" - "))
    .filter(([, source]) => source?.startsWith("cgroup2 "))
    .map(([mount, source]) => ({
      fields: mount!.split(" "),
      superOptions: source!.split(" ")[2] ?? "",
    }));
  if (found.length === 0) return { reason: "cgroup v2 is not mounted on this host" };
  const isWritable = (options: string) => options.split(",").includes("rw");
  const mount = found.find(({ fields, superOptions }) => isWritable(fields[5] ?? "") && isWritable(superOptions));
  if (!mount) return { reason: "cgroup v2 is mounted read-only here" };
  return {
    path: mount.fields[4]!.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
  };
}

/** Words of a cgroup file such as cgroup.controllers; empty when it is not there. */
export function cgroupWords(cgroup: string, file: string): string[] {
  try {
    return readFileSync(join(cgroup, file), "utf8").split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}

/** @returns null, or why the kernel does not take the value. */
export function setCgroup(cgroup: string, file: string, value: string | number): string | null {
  try {
    // Only what the kernel put there: these are no files to be made.
    writeFileSync(join(cgroup, file), String(value), { flag: "r+" });
    return null;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** True while a process lives in it (Documentation/admin-guide/cgroup-v2.rst, cgroup.events); zombies do not count. */
export function isPopulated(cgroup: string): boolean {
  const words = cgroupWords(cgroup, "cgroup.events");
  return words[words.indexOf("populated") + 1] === "1";
}

/**
 * Ends every process of a cgroup and removes it; returns when it is gone, which proves that nothing of it lives. Harmless when it is.
 * @throws HypeError hypervisor_failed when a process does not die.
 */
export async function endCgroup(cgroup: string): Promise<void> {
  const deadline = performance.now() + DEATH_DEADLINE_MS;
  while (existsSync(cgroup)) {
    if (isPopulated(cgroup)) killAll(cgroup);
    else if (removed(cgroup)) return;
    if (performance.now() > deadline)
      throw new HypeError(
        "hypervisor_failed",
        `processes ${cgroupWords(cgroup, "cgroup.procs").join(", ")} of ${cgroup} do not die`,
      );
    await Bun.sleep(2);
  }
}

/** cgroup.kill came with Linux 5.14; before, each process is killed by itself until none is left to fork. */
function killAll(cgroup: string): void {
  if (setCgroup(cgroup, "cgroup.kill", 1) === null) return;
  for (const pid of cgroupWords(cgroup, "cgroup.procs").map(Number))
    try {
      if (pid > 1) process.kill(pid, "SIGKILL");
    } catch {
      // it ended by itself
    }
}

/** A cgroup directory is removed by rmdir(2) alone: its files are the kernel's. EBUSY: a process just ends. */
function removed(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
    return true;
  } catch (thrown) {
    const code = (thrown as { code?: string }).code;
    if (code === "ENOENT") return true;
    if (code === "EBUSY") return false;
    throw new HypeError(
      "hypervisor_failed",
      `${cgroup} cannot be removed: ${messageOf(thrown)}`,
      {},
      { cause: thrown },
    );
  }
}
