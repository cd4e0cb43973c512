import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { shortId } from "../../config/paths.ts";
import { HypeError, messageOf } from "../../contract/index.ts";
import { cgroupMount, cgroupWords, endCgroup, setCgroup } from "../../host/cgroup.ts";

/** Below the root of the hierarchy: the cgroups of all states of this host. */
const PARENT = "overhyped";
const OURS = /\/overhyped\/[0-9a-f]{12}\/vm-[0-9a-f]{12}$/;
const CONTROLLERS = ["memory", "cpu", "pids"];
/** Another server may remove a parent it found empty between our making it and our filling it. */
const ATTEMPTS = 20;

/**
 * The cgroups of the VMs of one state: `<mount>/overhyped/<state>/vm-<short id>`. They stand beside the server's own, not below: a cgroup
 * that limits its children may hold no process (cgroup-v2.rst, "no internal process"), so systemd could not start a server again in a
 * cgroup whose VMs still run; and what is done to the server's unit is not done to VMs. systemd leaves directories alone that are none of
 * its units', and the kernel refuses to take a controller away from a parent whose children use it.
 */
export class Cgroups {
  private constructor(private readonly directory: string) {}

  /** @param home state directory; another state on the same host has cgroups of its own. */
  static open(home: string, mount: ReturnType<typeof cgroupMount> = cgroupMount()): Cgroups | { reason: string } {
    if ("reason" in mount) return mount;
    const state = createHash("sha256").update(realpathSync(home)).digest("hex").slice(0, 12);
    const cgroups = new Cgroups(join(mount.path, PARENT, state));
    try {
      cgroups.#makeParents();
      removeEmpty(cgroups.directory);
      return cgroups;
    } catch (thrown) {
      return { reason: `no cgroup can be made below ${mount.path}: ${messageOf(thrown)}` };
    }
  }

  pathOf(vmId: string): string {
    return join(this.directory, `vm-${shortId(vmId)}`);
  }

  /** An empty cgroup for a VM; what an earlier start may have left in one is ended. @throws HypeError jail_unavailable | hypervisor_failed */
  async make(vmId: string): Promise<string> {
    const path = this.pathOf(vmId);
    await releaseCgroup(path);
    for (let attempt = 1; ; attempt++)
      try {
        this.#makeParents();
        mkdirSync(path);
        return path;
      } catch (thrown) {
        const isGone = (thrown as { code?: string }).code === "ENOENT";
        if (isGone && attempt < ATTEMPTS) continue;
        throw new HypeError(
          "jail_unavailable",
          `the VM's cgroup cannot be made: ${messageOf(thrown)}`,
          {},
          { cause: thrown },
        );
      }
  }

  async reconcile(held: ReadonlySet<string>): Promise<void> {
    const found = existsSync(this.directory)
      ? readdirSync(this.directory).map((name) => join(this.directory, name))
      : [];
    await Promise.all(found.filter((path) => OURS.test(path) && !held.has(path)).map(releaseCgroup));
  }

  #makeParents(): void {
    const parent = dirname(this.directory);
    allowControllers(dirname(parent));
    for (const path of [parent, this.directory]) {
      mkdirSync(path, { recursive: true });
      allowControllers(path);
    }
  }
}

/** Ends every process of a VM's cgroup, removes it, and its parents with the last one. @throws HypeError hypervisor_failed */
export async function releaseCgroup(cgroup: string): Promise<void> {
  if (!OURS.test(cgroup)) throw new HypeError("hypervisor_failed", `${cgroup} is not a cgroup of a VM`);
  await endCgroup(cgroup);
  removeEmpty(dirname(cgroup));
}

/** Removes a state's directory and the one of all states, each while nothing is in it. */
function removeEmpty(directory: string): void {
  for (const path of [directory, dirname(directory)])
    try {
      rmdirSync(path);
    } catch {
      return; // in use, or gone
    }
}

/** Lets the children of a cgroup be limited, as far as the kernel lets us; what a VM really gets is read from its own cgroup. */
function allowControllers(cgroup: string): void {
  const enabled = new Set(cgroupWords(cgroup, "cgroup.subtree_control"));
  const available = new Set(cgroupWords(cgroup, "cgroup.controllers"));
  for (const controller of CONTROLLERS)
    if (available.has(controller) && !enabled.has(controller))
      setCgroup(cgroup, "cgroup.subtree_control", `+${controller}`);
}
