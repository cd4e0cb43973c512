import type { Measure } from "../../contract/index.ts";
import type { Jail, Jailer } from "./jail.ts";

const MEASURES: readonly Measure[] = [
  "own-user",
  "no-capabilities",
  "cgroup",
  "memory-limit",
  "cpu-limit",
  "pids-limit",
];

/** VMMs run as the server's own user, with what the drivers do by themselves. For servers without root, and where it is asked for. */
export class NoJail implements Jailer {
  /** @param reason why there is no jail; stands in every VM's row. */
  constructor(private readonly reason: string) {}

  uidOf(): null {
    return null;
  }

  async make(): Promise<Jail> {
    const { reason } = this;
    return {
      uid: null,
      cgroup: null,
      isolation: { uid: null, measures: [], missing: MEASURES.map((measure) => ({ measure, reason })) },
      command: (argv, namespace) =>
        (namespace === null ? [...argv] : ["ip", "netns", "exec", namespace, ...argv]) as [string, ...string[]],
    };
  }

  async release(): Promise<void> {}
  async reconcile(): Promise<void> {}
}
