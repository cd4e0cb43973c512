import type {
  Activity,
  CreateVm,
  Egress,
  EgressPolicy,
  EventList,
  EventType,
  ListVmsQuery,
  Proxy,
  ResizeVm,
  Vm,
  VmEvent,
  VmList,
  VmProxy,
  VmProxyChanged,
  VmStatus,
} from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import type { ControlHolder } from "./control.ts";

export type OperationOptions = {
  /** false: return as soon as the row says what is intended. Default true: return when it is so. */
  wait?: boolean;
  signal?: AbortSignal;
};

/** What every door (HTTP, MCP, AG-UI) may ask of the engine. `ref` is a VM's name or id. All throw HypeError only. */
export interface EngineApi {
  create(input: CreateVm, options?: OperationOptions): Promise<Vm>;
  start(ref: string, options?: OperationOptions): Promise<Vm>;
  /** Agent powers the guest off; after a grace period the VMM is ended. `force` skips the grace. */
  stop(ref: string, options?: OperationOptions & { force?: boolean }): Promise<Vm>;
  restart(ref: string, options?: OperationOptions): Promise<Vm>;
  pause(ref: string): Promise<Vm>;
  resume(ref: string): Promise<Vm>;
  /** Another size from the next start on; the VM must not run. */
  resize(ref: string, size: ResizeVm): Promise<Vm>;
  /** Cancels whatever runs on the VM, frees everything; name and address last. Returns when nothing is left. */
  delete(ref: string): Promise<void>;
  get(ref: string): Vm;
  list(query: ListVmsQuery): VmList;
  /** The way into a running VM. @throws vm_not_found | vm_not_running */
  guest(ref: string): Guest;
  /** Fires when the VM stops being usable by this guest handle (crash, stop, delete), with the reason: open sockets close with it. */
  whenGone(ref: string): { signal: AbortSignal };
  /** Policy of the VM's guest, and what it was refused. */
  egress(ref: string): Promise<Egress>;
  /** Another policy, at once. @throws egress_unsupported */
  setEgress(ref: string, policy: EgressPolicy): Promise<Egress>;
  /** What the browser goes through, without the password. */
  proxy(ref: string): VmProxy;
  /** Another proxy or none, at once. @throws vm_not_found | vm_state_conflict | guest_unreachable */
  setProxy(ref: string, next: Proxy | null): Promise<VmProxyChanged>;
  /** A person takes the browser in hand; advisory. @throws vm_not_found | vm_not_running | control_held */
  takeControl(ref: string, who: ControlHolder, options?: { force?: boolean }): Vm;
  /** Whoever has it. Harmless when nobody does. @throws vm_not_found */
  returnControl(ref: string, reason: string): Vm;
  /** Absolute paths of the log files on the host. */
  logFiles(ref: string): { console: string; vmm: string };
  events(query: { after?: number; limit?: number; vm?: string; type?: EventType }): EventList;
  /** `seq` of the newest event; 0 when there is none. */
  lastEventSeq(): number;
  /** Every event with `seq > after` (null: from now on), in order, until the signal aborts. A reader that falls more than 10,000 rows behind is ended with an error. */
  subscribe(after: number | null, signal: AbortSignal): AsyncIterable<VmEvent>;
  /** What the running VMs do right now, and which pages they show. */
  activity(): Activity;
  counts(): {
    total: number;
    byStatus: Partial<Record<VmStatus, number>>;
    memoryCommittedMb: number;
    leasesUsed: number;
    leasesTotal: number;
  };
  /** Images in use by VMs, so that they are not removed under them. */
  imagesInUse(): Map<string, string[]>;
}
