import { HypeError, type Measure } from "../../contract/index.ts";
import { releaseCgroup } from "./cgroups.ts";
import { DEFAULT_FILE_LIMIT_MB, enter, OPEN_FILES } from "./command.ts";
import type { Jail, Jailer } from "./jail.ts";

const MISSING: readonly Measure[] = [
  "own-user",
  "no-capabilities",
  "cgroup",
  "memory-limit",
  "cpu-limit",
  "pids-limit",
];

/** VMMs run as the server's own user, with what a process can do to itself. For servers without root, and where it is asked for. */
export class NoJail implements Jailer {
  /**
   * @param reason why there is no jail; stands in every VM's row.
   * @param required no VM starts then.
   */
  constructor(
    private readonly reason: string,
    private readonly required = false,
  ) {}

  uidOf(): null {
    return null;
  }

  cgroupOf(): null {
    return null;
  }

  async make(): Promise<Jail> {
    const { reason } = this;
    if (this.required)
      throw new HypeError("jail_unavailable", `OVERHYPED_JAIL=required, but VMMs cannot be jailed: ${reason}`);
    const noNewPrivileges = Bun.which("setpriv") !== null;
    return {
      uid: null,
      cgroup: null,
      isolation: {
        uid: null,
        measures: ["resource-limits", ...(noNewPrivileges ? (["no-new-privileges"] as const) : [])],
        missing: [
          ...MISSING.map((measure) => ({ measure, reason })),
          ...(noNewPrivileges ? [] : [{ measure: "no-new-privileges" as const, reason: NO_SETPRIV }]),
        ],
      },
      reach: (file) => file,
      command: (argv, namespace, { fileLimitMb = DEFAULT_FILE_LIMIT_MB } = {}) =>
        enter(
          {
            uid: null,
            groups: [],
            dropCapabilities: "none",
            noNewPrivileges,
            cgroup: null,
            files: [],
            network: namespace === null ? "host" : { name: namespace },
            fileLimitMb,
            openFiles: OPEN_FILES,
            maxTasks: null,
          },
          argv,
        ),
    };
  }

  /** A jail of an earlier server on this state is ended all the same. */
  release(cgroup: string): Promise<void> {
    return releaseCgroup(cgroup);
  }

  async reconcile(): Promise<void> {}
}

export const NO_SETPRIV = "the program setpriv is not installed (Debian and Ubuntu: apt install util-linux)";
