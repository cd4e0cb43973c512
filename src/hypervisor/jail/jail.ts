import type { Isolation } from "../../contract/index.ts";

/** What a VM needs of its jail. */
export type JailRequest = {
  vmId: string;
  /** Number of the VM's lease: user and group follow from it. */
  slot: number;
  cpuCores: number;
  memoryMb: number;
};

/** What one VMM is locked into. Made before the VMM starts, released after it is dead. */
export type Jail = {
  /** User and group of the VMM, of its working directory and of its tap; null: the server's own. */
  readonly uid: number | null;
  /** Absolute path of its cgroup v2 directory; null where this host has none to give. Stands in the machine's record. */
  readonly cgroup: string | null;
  /** What is in force and what is not, before the driver adds its own part (seccomp, Landlock). */
  readonly isolation: Isolation;
  /**
   * The command that enters the jail and then becomes `argv`: same pid, no process in between.
   * @param namespace network namespace (ip-netns(8)) the VMM is to live in; null: the host's.
   */
  command(argv: readonly string[], namespace: string | null): [string, ...string[]];
};

export interface Jailer {
  /** User and group of the VMM of a slot; null where VMMs run as the server's own user. The same for as long as the server runs. */
  uidOf(slot: number): number | null;
  /** Makes the jail of one VM. On failure nothing of it is left. @throws HypeError jail_unavailable */
  make(request: JailRequest): Promise<Jail>;
  /** Ends every process in a jail and removes it, wherever it came from. Harmless when it is gone. @throws HypeError hypervisor_failed */
  release(cgroup: string): Promise<void>;
  /** Removes jails of ours (by their path) that no VM holds. */
  reconcile(held: ReadonlySet<string>): Promise<void>;
}
