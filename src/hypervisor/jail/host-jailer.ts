import { HypeError, type Isolation, type Measure } from "../../contract/index.ts";
import type { Cgroups } from "./cgroups.ts";
import { releaseCgroup } from "./cgroups.ts";
import { DEFAULT_FILE_LIMIT_MB, enter, OPEN_FILES } from "./command.ts";
import type { Jail, Jailer, JailRequest } from "./jail.ts";
import { setLimits } from "./limits.ts";
import { Reach } from "./reach.ts";

export type Unavailable = { reason: string };

/** What this host gives its VMMs, found once when the server starts. */
export type Means = {
  /** First user of the range, and further groups of each. */
  user: { base: number; groups: readonly number[] } | Unavailable;
  cgroups: Cgroups | Unavailable;
  /** Capabilities can be given up. */
  capabilities: true | Unavailable;
  /** A VMM that needs no network of the host can have none. */
  emptyNetwork: true | Unavailable;
};

/** Processes and threads of a user, where the cgroup cannot count them; more than one VM's, since another state on this host may use the same users. */
const USER_TASKS = 2048;

/** Jails of a server that is root. */
export class HostJailer implements Jailer {
  /** @param imageDir what lies there is ours: it is made readable where it is not. */
  constructor(
    private readonly means: Means,
    private readonly imageDir: string,
    /** No VM starts without a user and a cgroup of its own. */
    private readonly required: boolean,
  ) {}

  uidOf(slot: number): number | null {
    return "base" in this.means.user ? this.means.user.base + slot : null;
  }

  cgroupOf(vmId: string): string | null {
    return "reason" in this.means.cgroups ? null : this.means.cgroups.pathOf(vmId);
  }

  async make(request: JailRequest): Promise<Jail> {
    const { user, cgroups, capabilities, emptyNetwork } = this.means;
    if (this.required) mustHave({ "a user": user, "a cgroup": cgroups });
    const uid = this.uidOf(request.slot);
    const cgroup = "reason" in cgroups ? null : await cgroups.make(request.vmId);
    const reach = new Reach(uid, this.imageDir);
    return {
      uid,
      cgroup,
      isolation: this.#isolation(request, uid, cgroup),
      reach: (file, mode) => reach.nameOf(file, mode),
      command: (argv, namespace, { fileLimitMb = DEFAULT_FILE_LIMIT_MB } = {}) =>
        enter(
          {
            uid,
            groups: "base" in user ? user.groups : [],
            dropCapabilities: capabilities === true ? "all" : "none",
            noNewPrivileges: capabilities === true,
            cgroup,
            files: reach.files,
            network: namespace !== null ? { name: namespace } : emptyNetwork === true ? "empty" : "host",
            fileLimitMb,
            openFiles: OPEN_FILES,
            maxTasks: uid === null ? null : USER_TASKS,
          },
          argv,
        ),
    };
  }

  release(cgroup: string): Promise<void> {
    return releaseCgroup(cgroup);
  }

  async reconcile(held: ReadonlySet<string>): Promise<void> {
    if (!("reason" in this.means.cgroups)) await this.means.cgroups.reconcile(held);
  }

  #isolation(request: JailRequest, uid: number | null, cgroup: string | null): Isolation {
    const { user, cgroups, capabilities, emptyNetwork } = this.means;
    const measures: Measure[] = ["resource-limits"];
    const missing: Isolation["missing"] = [];
    const judge = (measure: Measure, means: object | true) =>
      typeof means === "object" && "reason" in means
        ? missing.push({ measure, reason: String(means.reason) })
        : measures.push(measure);
    judge(
      "own-user",
      "reason" in user ? { reason: `${user.reason}; it runs as root, whose files are open to it` } : user,
    );
    judge("no-capabilities", capabilities);
    judge("no-new-privileges", capabilities);
    judge("network-namespace", emptyNetwork);
    judge("cgroup", cgroups);
    const limited =
      cgroup === null
        ? {
            measures: [],
            missing: (["memory-limit", "cpu-limit", "pids-limit"] as const).map((measure) => ({
              measure,
              reason: (cgroups as Unavailable).reason,
            })),
          }
        : setLimits(cgroup, request);
    measures.push(...limited.measures);
    for (const gap of limited.missing)
      // The user's own limit on processes does as well where it is the VM's alone.
      if (gap.measure === "pids-limit" && uid !== null) measures.push(gap.measure);
      else missing.push(gap);
    return { uid, measures, missing };
  }
}

/** @throws HypeError jail_unavailable */
function mustHave(wanted: Record<string, object>): void {
  const faults = Object.entries(wanted).flatMap(([what, means]) =>
    "reason" in means ? [`${what} of its own: ${String(means.reason)}`] : [],
  );
  if (faults.length > 0)
    throw new HypeError("jail_unavailable", `OVERHYPED_JAIL=required, but a VMM cannot have ${faults.join("; ")}`);
}
