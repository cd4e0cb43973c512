import type {
  Activity,
  Artifact,
  ArtifactKind,
  ArtifactList,
  Control,
  CreatedLiveLink,
  CreateLiveLink,
  CreateVm,
  Image,
  ListVmsQuery,
  Profile,
  Proxy,
  SavedProfile,
  SystemStatus,
  Vm,
  VmEvent,
  VmList,
  VmProxy,
  VmProxyChanged,
} from "../contract/index.ts";
import type { OperationOptions } from "../engine/types.ts";
import type { Guest } from "../guest/guest.ts";

/**
 * What tools reach, narrowed to one caller: VMs its key does not see are not there. `ref` is a VM's name or id. Built by the server; all
 * throw HypeError only.
 */
export interface House {
  list(query: ListVmsQuery): VmList;
  get(ref: string): Vm;
  /** @throws HypeError forbidden where the key may not create such a VM */
  create(input: CreateVm, options?: OperationOptions): Promise<Vm>;
  start(ref: string, options?: OperationOptions): Promise<Vm>;
  stop(ref: string, options?: OperationOptions & { force?: boolean }): Promise<Vm>;
  restart(ref: string, options?: OperationOptions): Promise<Vm>;
  pause(ref: string): Promise<Vm>;
  resume(ref: string): Promise<Vm>;
  delete(ref: string): Promise<void>;
  /**
   * Asks a VM's browser for one thing. `signal` fires with the caller, and as soon as the VM ends or is paused: then that is the reason.
   * @throws HypeError vm_not_found | vm_not_running, and whatever `work` throws
   */
  onBrowser<T>(ref: string, caller: AbortSignal, work: (guest: Guest, signal: AbortSignal) => Promise<T>): Promise<T>;
  /** The last lines of a log, as they stand in it: from the guest, not to be trusted. */
  logs(ref: string, source: "console" | "agent" | "vmm", lines: number, signal: AbortSignal): Promise<string>;
  images(): Image[];
  status(): SystemStatus;
  /** What the running VMs do now; their pages only for keys that may drive them. */
  activity(): Activity;
  proxy(ref: string): VmProxy;
  /** @throws HypeError vm_state_conflict | guest_unreachable */
  setProxy(ref: string, proxy: Proxy | null): Promise<VmProxyChanged>;
  /** An address that opens the live view of a VM for a person. @throws HypeError forbidden where the caller holds no key of this server */
  liveLink(ref: string, input: CreateLiveLink): Omit<CreatedLiveLink, "watchers">;
  /** Offers the browser to a person: any page of the live view may take it up. @throws HypeError vm_not_running | control_held */
  takeControl(ref: string): Vm;
  /** Whoever has it; harmless when nobody does. */
  returnControl(ref: string): Vm;
  /** Waits until somebody has control, or nobody has, for at most so long. @returns who has it then */
  whenControl(ref: string, isTaken: boolean, timeoutMs: number, signal: AbortSignal): Promise<Control | null>;
  /** @throws HypeError forbidden where the key is restricted to some VMs: a profile may hold anybody's logins. So do the next two */
  profiles(): Profile[];
  saveProfile(
    vm: string,
    profile: { name: string; replace: boolean; whole: boolean },
    signal: AbortSignal,
  ): Promise<SavedProfile>;
  deleteProfile(name: string): void;
  /** Newest first, those of the VMs the caller sees, deleted ones included. */
  artifacts(query: { vm?: string | undefined; kind?: ArtifactKind | undefined; limit: number }): ArtifactList;
  /** @throws HypeError artifact_not_found */
  artifact(id: string): Artifact;
  /** @throws HypeError artifact_not_found | result_too_large */
  readArtifact(id: string, mostBytes: number): Promise<Uint8Array>;
  /** Its bytes as they are read; the signal's end closes the file. @throws HypeError artifact_not_found | artifact_damaged */
  openArtifact(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  deleteArtifact(id: string): void;
  /**
   * Keeps bytes of a VM on the host, all of them or none.
   * @param file.fileId of a file that lies in the guest, and is kept once only: its id there
   * @throws HypeError artifact_quota_exceeded | disk_full | vm_not_running when the VM ends before the last byte
   */
  keep(
    vm: string,
    file: {
      kind: ArtifactKind;
      name: string;
      contentType: string;
      bytes: Uint8Array | AsyncIterable<Uint8Array>;
      fileId?: string;
    },
  ): Promise<Artifact>;
  keepDownload(vm: string, id: string, name: string | undefined, signal: AbortSignal): Promise<Artifact>;
  /** Events from now on of the VMs the caller sees, until the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<VmEvent>;
}
