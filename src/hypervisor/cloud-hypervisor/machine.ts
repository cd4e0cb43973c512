import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES } from "../../config/paths.ts";
import { HypeError, type Isolation } from "../../contract/index.ts";
import { boundLog } from "../../host/bounded-log.ts";
import { tailFile } from "../../host/files.ts";
import { endProcess, isAlive, waitGone } from "../../host/process.ts";
import { processMemoryMb } from "../../host/resources.ts";
import type { Machine, MachineExit, MachineRecord, MachineState } from "../driver.ts";
import { ChApi } from "./api.ts";
import { EventTail } from "./events.ts";
import { type ChEvent, Counters, Info, meaningOf, VCPU_FAILED, WORK_FILES } from "./facts.ts";
import { Presence } from "./presence.ts";

const LOG_LIMIT_BYTES = 8 * 1_048_576;
const LOG_TAIL_BYTES = 4096;
/** How long a VMM may take to end by itself when told to; it needs some milliseconds. */
const END_GRACE_MS = 500;

type ProcessEnd = { exitCode: number | null; signal: string | null };
export type Spawned = { exited: Promise<ProcessEnd>; isolation: Isolation };

/** A guest whose Cloud Hypervisor process lives, spawned or adopted. `record.runDir` is its working directory. */
export class CloudHypervisorMachine implements Machine {
  readonly exited: Promise<MachineExit>;
  readonly isolation: Isolation | null;
  readonly api: ChApi;
  readonly #processEnd: Promise<ProcessEnd>;
  readonly #logs: Disposable[];
  #events: EventTail | null = null;
  #presence: Presence | null = null;
  #guestShutdown = false;
  #guestFault: MachineExit["guestFault"] = null;
  /** The end is ours or seen to already: later events of the same end say nothing new. */
  #ending = false;
  #detached = false;

  /** @param spawned what is known when the process is our child; else its death is read from the process table. */
  constructor(
    readonly record: MachineRecord,
    private readonly logDir: string,
    spawned: Spawned | null,
  ) {
    this.isolation = spawned?.isolation ?? null;
    this.api = new ChApi(join(record.runDir, WORK_FILES.api));
    this.#logs = [VM_LOG_FILES.console, VM_LOG_FILES.vmm].map((file) => boundLog(join(logDir, file), LOG_LIMIT_BYTES));
    this.#processEnd = spawned?.exited ?? this.#watchAdopted();
    this.exited = this.#watchExit();
  }

  /**
   * Takes up the machine of a server that is gone. What the guest did meanwhile is in the events: a machine that powered off, reset
   * or panicked is ended, and its `exited` says why.
   * @throws HypeError hypervisor_failed when nobody listens or it has no guest; one that is only slow is believed.
   */
  static async adopt(record: MachineRecord, logDir: string): Promise<CloudHypervisorMachine> {
    const machine = new CloudHypervisorMachine(record, logDir, null);
    try {
      machine.follow();
      const state = await machine.state().catch((thrown: unknown) => {
        if (((thrown as Error).cause as Error | undefined)?.name !== "TimeoutError") throw thrown;
        return null;
      });
      if (state === "dead" && !machine.#ending) throw new HypeError("hypervisor_failed", "the VMM runs no guest");
      return machine;
    } catch (thrown) {
      machine.detach();
      throw thrown;
    }
  }

  /** Begins to heed the VMM's events, those before this call included. @throws HypeError hypervisor_failed when the event file is gone */
  follow(): void {
    this.#events = new EventTail(
      join(this.record.runDir, WORK_FILES.events),
      (event) => this.#note(event),
      () => this.#giveUp("its event file is full: what the guest did is not known any more"),
    );
    this.#events.follow();
  }

  async pause(): Promise<void> {
    await this.#become("pause", "paused");
  }

  async resume(): Promise<void> {
    await this.#become("resume", "running");
  }

  async state(): Promise<MachineState> {
    if (this.#ending || !isAlive(this.record.process)) return "dead";
    try {
      const { state } = await this.api.ask("info", Info);
      return state === "Running" ? "running" : state === "Paused" ? "paused" : "dead";
    } catch (thrown) {
      if (this.#ending || !isAlive(this.record.process)) return "dead";
      throw thrown;
    }
  }

  async powerButton(): Promise<void> {
    this.#mustLive();
    await this.api.call("powerButton");
  }

  /** What its devices have moved. @throws HypeError hypervisor_failed unless the guest is booted */
  async counters(): Promise<Counters> {
    this.#mustLive();
    return await this.api.ask("counters", Counters);
  }

  /** A VMM that answers ends by itself and gives up its locks and sockets in order; one that does not is not waited for. */
  async kill(): Promise<void> {
    this.#ending = true;
    if (isAlive(this.record.process) && !this.api.busy && this.#guestFault === null)
      await this.api.call("end", { deadlineMs: END_GRACE_MS }).then(
        () => waitGone(this.record.process, END_GRACE_MS),
        () => {},
      );
    // Its files are removed by the time this returns, and not after it: the next start uses the same names.
    if (await endProcess(this.record.process, 0)) await this.exited;
    this.#letGo();
  }

  /** What the guest did that ended its machine. */
  get guestFault(): MachineExit["guestFault"] {
    return this.#guestFault;
  }

  async memoryMb(): Promise<number | null> {
    return isAlive(this.record.process) ? processMemoryMb(this.record.process.pid) : null;
  }

  detach(): void {
    this.#detached = true;
    this.#letGo();
  }

  /** Cloud Hypervisor takes a change to the state it is in for an error; for us it is done already. */
  async #become(call: "pause" | "resume", wanted: MachineState): Promise<void> {
    this.#mustLive();
    try {
      await this.api.call(call);
    } catch (thrown) {
      if ((await this.state().catch(() => null)) !== wanted) throw thrown;
    }
  }

  #mustLive(): void {
    if (!isAlive(this.record.process))
      throw new HypeError("hypervisor_failed", `Cloud Hypervisor (pid ${this.record.process.pid}) is gone`);
  }

  #note(event: ChEvent): void {
    const meaning = meaningOf(event);
    if (meaning === null || this.#ending) return;
    this.#ending = true;
    if (meaning === "off") return void this.#seeOff();
    this.#guestFault = meaning;
    void endProcess(this.record.process, 0);
  }

  /** The VM is shut down and the process stays: it was the guest. A process that goes with it was ended by a signal or a fault. */
  async #seeOff(): Promise<void> {
    const state = await this.api.ask("info", Info, { deadlineMs: END_GRACE_MS }).catch(() => null);
    if (state?.state === "Created" && isAlive(this.record.process))
      this.#guestShutdown = !this.#log().includes(VCPU_FAILED);
    await this.api.call("end", { deadlineMs: END_GRACE_MS }).catch(() => {});
    if (!(await waitGone(this.record.process, END_GRACE_MS))) await endProcess(this.record.process, 0);
  }

  #giveUp(why: string): void {
    if (this.#ending) return;
    this.#ending = true;
    try {
      appendFileSync(join(this.logDir, VM_LOG_FILES.vmm), `\nhype: the VMM is ended: ${why}\n`);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "ENOSPC") throw thrown;
    }
    void endProcess(this.record.process, 0);
  }

  async #watchExit(): Promise<MachineExit> {
    const end = await this.#processEnd;
    this.#events?.drain(); // what it said last may not have been read yet
    this.#letGo();
    this.#removeFiles();
    return { ...end, guestShutdown: this.#guestShutdown, guestFault: this.#guestFault, output: this.#log() };
  }

  /** Not our child: an idle connection closes when it dies. One that is lost for another reason is made anew. */
  async #watchAdopted(): Promise<ProcessEnd> {
    while (!this.#detached && isAlive(this.record.process)) {
      using presence = await Presence.open(join(this.record.runDir, WORK_FILES.api));
      this.#presence = presence;
      if (!this.#detached) await presence.lost;
      await waitGone(this.record.process, 1_000);
    }
    if (isAlive(this.record.process)) await new Promise(() => {}); // let go of: whoever takes it up next watches it
    return { exitCode: null, signal: null };
  }

  #log(): string {
    return tailFile(join(this.logDir, VM_LOG_FILES.vmm), LOG_TAIL_BYTES);
  }

  #letGo(): void {
    for (const log of this.#logs) log[Symbol.dispose]();
    this.#events?.[Symbol.dispose]();
    this.#presence?.[Symbol.dispose]();
  }

  #removeFiles(): void {
    for (const file of Object.values(WORK_FILES)) rmSync(join(this.record.runDir, file), { force: true });
  }
}
