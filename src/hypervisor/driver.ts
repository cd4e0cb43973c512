import type { Isolation } from "../contract/index.ts";
import type { ProcessIdentity } from "../host/process.ts";
import type { Jail } from "./jail/jail.ts";

/** The one interface of all hypervisors. Drivers know processes, sockets and machines; they know no database and no HTTP API of ours. */

/** How the guest's NIC is attached, made by the network room before the VMM starts. */
export type GuestNic =
  | { kind: "passt"; socket: string; mac: string } // stream socket, path relative to the VMM's working directory
  | { kind: "tap"; name: string; namespace: string; mac: string };

export type MachineSpec = {
  vmId: string;
  cpuCores: number;
  memoryMb: number;
  kernel: string;
  initramfs: string;
  /** Read-only root disk (EROFS), absolute; null for a bundle image. */
  rootfs: string | null;
  /** Whole kernel command line except the console, which the driver owns. */
  cmdline: string;
  /** The agent's secret, handed over as an SMBIOS OEM string. */
  token: string;
  nic: GuestNic;
  /** The VMM's working directory and the only one it may write to; belongs to the jail's user, mode 0700, empty. What is found there is the guest's word. */
  workDir: string;
  /** The server's own: the VMM's pid file goes here. */
  runDir: string;
  /** console.log, which the VMM may write, exists; vmm.log is the server's. */
  logDir: string;
  jail: Jail;
};

/** What a row must hold so that a restarted server finds the machine again. JSON-safe. */
export type MachineRecord = {
  hypervisor: "qemu" | "cloud-hypervisor";
  accelerator: "kvm" | "tcg";
  process: ProcessIdentity;
  /** Where the control socket lies: the VMM's working directory. */
  runDir: string;
  /** Absent in rows of VMMs that an older version started. */
  cgroup?: string | null;
};

export type MachineState = "running" | "paused" | "dead";

export type MachineExit = {
  /** null where the process was adopted, not spawned by this server. */
  exitCode: number | null;
  signal: string | null;
  /** The guest asked for it (power-off) rather than a fault; false when unknown. */
  guestShutdown: boolean;
  /** The guest kernel panicked (pvpanic) or asked for a reset: a machine is never reset in place. */
  guestFault: "panic" | "reset" | null;
  /** Tail of the VMM's own output. */
  output: string;
};

/** A machine whose VMM process lives. All methods throw HypeError `hypervisor_failed` with the VMM's own words. */
export interface Machine {
  readonly record: MachineRecord;
  /** The jail as it is in force, the hypervisor's own measures included; null for an adopted machine (its row knows). */
  readonly isolation: Isolation | null;
  /** Settles once, when the VMM process is gone. Never rejects. */
  readonly exited: Promise<MachineExit>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  state(): Promise<MachineState>;
  /** ACPI power button; the guest may ignore it. */
  powerButton(): Promise<void>;
  /** Ends the VMM at once and waits until it is gone. Harmless when it is already. */
  kill(): Promise<void>;
  /** Host memory the VMM uses now, MB (proportional set size where the kernel has it). */
  memoryMb(): Promise<number | null>;
  /** Lets go of sockets and watchers; the machine runs on. */
  detach(): void;
}

export interface HypervisorDriver {
  readonly name: "qemu" | "cloud-hypervisor";
  readonly version: string;
  readonly accelerator: "kvm" | "tcg";
  /** Why this driver and accelerator, in one sentence. */
  readonly reason: string;
  /**
   * Spawns the VMM (own session, logs to files) and returns when the guest's CPUs run.
   * On any failure nothing of it is left. @throws HypeError hypervisor_failed | cancelled
   */
  start(spec: MachineSpec, signal: AbortSignal): Promise<Machine>;
  /** Takes up a machine another server started; null when it is not there any more (and then surely dead). */
  adopt(record: MachineRecord, logDir: string): Promise<Machine | null>;
}
