import type { Isolation } from "../../contract/index.ts";

/** What a VM needs of its jail. */
export type JailRequest = {
  vmId: string;
  /** Number of the VM's lease: user and group follow from it. */
  slot: number;
  cpuCores: number;
  memoryMb: number;
  /** Emulation keeps its translated code beside the guest's memory. */
  accelerator: "kvm" | "tcg";
};

export type CommandOptions = {
  /** No file the VMM writes may pass this size, memory files (memfd) among them. Default 64 MB. */
  fileLimitMb?: number;
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
   * The name by which the VMM can open a file of the server's, to be said before `command`. Where the VMM's user cannot walk to it,
   * the file is opened for it and the name is one of /proc/self/fd.
   * @throws HypeError jail_unavailable when its user may not read the file at all.
   */
  reach(file: string, mode: "read" | "append"): string;
  /**
   * The command that enters the jail and then becomes `argv`: same pid, no process in between. Descriptors 3 and 4 are free.
   * @param namespace network namespace (ip-netns(8)) the VMM is to live in; null: it needs no network of the host.
   */
  command(argv: readonly string[], namespace: string | null, options?: CommandOptions): [string, ...string[]];
};

export interface Jailer {
  /** User and group of the VMM of a slot; null where VMMs run as the server's own user. The same for as long as the server runs. */
  uidOf(slot: number): number | null;
  /** The cgroup of a VM, whether it is there or not; null where VMs have none. */
  cgroupOf(vmId: string): string | null;
  /** Makes the jail of one VM. On failure nothing of it is left. @throws HypeError jail_unavailable */
  make(request: JailRequest): Promise<Jail>;
  /** Ends every process in a jail and removes it, wherever it came from. Harmless when it is gone. @throws HypeError hypervisor_failed */
  release(cgroup: string): Promise<void>;
  /** Removes jails of ours (by their path) that no VM holds. */
  reconcile(held: ReadonlySet<string>): Promise<void>;
}
