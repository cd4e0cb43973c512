import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../config/paths.ts";
import { HypeError, type Isolation } from "../../contract/index.ts";
import { boundLog } from "../../host/bounded-log.ts";
import { tailFile } from "../../host/files.ts";
import { endProcess, isAlive, waitGone } from "../../host/process.ts";
import { processMemoryMb } from "../../host/resources.ts";
import type { Machine, MachineExit, MachineRecord, MachineState } from "../driver.ts";
import { Qmp, type QmpEvent } from "./qmp.ts";

const CONSOLE_LIMIT_BYTES = 8 * 1_048_576;

type ProcessEnd = { exitCode: number | null; signal: string | null };
type Spawned = { exited: Promise<ProcessEnd>; isolation: Isolation };

/** A guest whose QEMU process lives, spawned or adopted. */
export class QemuMachine implements Machine {
  readonly exited: Promise<MachineExit>;
  readonly isolation: Isolation | null;
  #qmp: Qmp | null = null;
  #console: Disposable;
  #guestShutdown = false;
  #guestFault: MachineExit["guestFault"] = null;
  #detached = false;

  private constructor(
    readonly record: MachineRecord,
    private readonly logDir: string,
    spawned: Spawned | null,
  ) {
    this.isolation = spawned?.isolation ?? null;
    this.#console = boundLog(join(logDir, VM_LOG_FILES.console), CONSOLE_LIMIT_BYTES);
    this.exited = this.#watchExit(spawned?.exited ?? null);
  }

  /**
   * Takes up a QEMU process through its control socket.
   * @param spawned what is known when the process is our child; else its death is read from the socket.
   * @throws HypeError hypervisor_failed when the socket does not answer.
   */
  static async open(record: MachineRecord, logDir: string, spawned: Spawned | null): Promise<QemuMachine> {
    const machine = new QemuMachine(record, logDir, spawned);
    try {
      await machine.#connect();
    } catch (thrown) {
      machine.detach();
      throw thrown;
    }
    return machine;
  }

  async pause(): Promise<void> {
    await this.#control("stop");
  }

  async resume(): Promise<void> {
    await this.#control("cont");
  }

  async state(): Promise<MachineState> {
    if (!isAlive(this.record.process)) return "dead";
    const status = (await this.#control("query-status")) as { running?: boolean };
    return status.running ? "running" : "paused";
  }

  async powerButton(): Promise<void> {
    await this.#control("system_powerdown");
  }

  async kill(): Promise<void> {
    await endProcess(this.record.process, 0);
    this.detach();
  }

  async memoryMb(): Promise<number | null> {
    return isAlive(this.record.process) ? processMemoryMb(this.record.process.pid) : null;
  }

  detach(): void {
    this.#detached = true;
    this.#console[Symbol.dispose]();
    this.#qmp?.close();
  }

  async #control(command: string): Promise<unknown> {
    if (!isAlive(this.record.process))
      throw new HypeError("hypervisor_failed", `QEMU (pid ${this.record.process.pid}) is gone`);
    return await (this.#qmp ?? (await this.#connect())).execute(command);
  }

  async #connect(): Promise<Qmp> {
    const qmp = await Qmp.connect(join(this.record.runDir, VM_RUN_FILES.qmp), (event) => this.#note(event));
    this.#qmp = qmp;
    void qmp.closed.then(() => {
      if (this.#qmp === qmp) this.#qmp = null;
    });
    return qmp;
  }

  /** QEMU says why it ends just before it does (qapi/run-state.json: SHUTDOWN, GUEST_PANICKED). */
  #note({ event, data }: QmpEvent): void {
    if (event === "GUEST_PANICKED") this.#guestFault = "panic";
    if (event !== "SHUTDOWN") return;
    if (data.reason === "guest-reset") this.#guestFault ??= "reset";
    else if (data.reason === "guest-shutdown") this.#guestShutdown = true;
  }

  async #watchExit(processEnd: Promise<ProcessEnd> | null): Promise<MachineExit> {
    const end = processEnd ? await processEnd : await this.#watchAdopted();
    this.#console[Symbol.dispose]();
    return {
      ...end,
      guestShutdown: this.#guestShutdown,
      guestFault: this.#guestFault,
      output: tailFile(join(this.logDir, VM_LOG_FILES.vmm), 4096),
    };
  }

  /** Not our child: the control socket closes when it dies. A connection lost for another reason is made anew. */
  async #watchAdopted(): Promise<ProcessEnd> {
    while (!this.#detached && isAlive(this.record.process)) {
      if (this.#qmp) await this.#qmp.closed;
      if (await waitGone(this.record.process, 1_000)) break;
      if (!this.#detached && !this.#qmp) await this.#connect().catch(() => {});
    }
    if (this.#detached) await new Promise(() => {}); // let go of: whoever takes it up next watches it
    return { exitCode: null, signal: null };
  }
}
