import { chmodSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../config/paths.ts";
import { HypeError, type Isolation, type Measure } from "../../contract/index.ts";
import { fileAppears } from "../../host/file-appears.ts";
import { fileError, tailFile, writeAtomic } from "../../host/files.ts";
import { type Detached, endProcess, isAlive, spawnDetached, waitGone, withExecutable } from "../../host/process.ts";
import { adoptMachine } from "../adopt.ts";
import type { HypervisorDriver, Machine, MachineRecord, MachineSpec } from "../driver.ts";
import { vmmCommand } from "./command.ts";
import { type VmConfig, vmConfig, withLandlock } from "./config.ts";
import { Ping, tapDirectory, WORK_FILES } from "./facts.ts";
import { landlockMissing } from "./landlock.ts";
import { CloudHypervisorMachine } from "./machine.ts";
import { mustBeNewEnough } from "./version.ts";

/** Opening the socket is the first thing the program does; a host that needs this long is broken. */
const SOCKET_DEADLINE_MS = 15_000;
/** Between bind(2), which makes the file, and listen(2) lie microseconds. */
const LISTEN_PAUSE_MS = 5;
const LISTEN_ATTEMPTS = 200;
const DEATH_WAIT_MS = 200;
const LOG_TAIL_BYTES = 4096;

export class CloudHypervisorDriver implements HypervisorDriver {
  readonly name = "cloud-hypervisor";
  readonly accelerator = "kvm";
  readonly #landlockMissing: string | null;
  readonly #socketDeadlineMs: number;

  /** @param host what keeps this host from Landlock (asked of the kernel when not given), and how long its programs may take to start. */
  constructor(
    private readonly program: string,
    readonly version: string,
    readonly reason: string,
    host: { landlockMissing?: string | null; socketDeadlineMs?: number } = {},
  ) {
    this.#landlockMissing = host.landlockMissing === undefined ? landlockMissing() : host.landlockMissing;
    this.#socketDeadlineMs = host.socketDeadlineMs ?? SOCKET_DEADLINE_MS;
  }

  async start(spec: MachineSpec, signal: AbortSignal): Promise<Machine> {
    const config = vmConfig(spec);
    removeFiles(spec);
    let vmm: Detached | null = null;
    let machine: CloudHypervisorMachine | null = null;
    try {
      vmm = this.#spawn(spec);
      writeAtomic(join(spec.runDir, VM_RUN_FILES.pid), JSON.stringify(vmm.identity));
      await socketAppears(spec.workDir, vmm, { deadlineMs: this.#socketDeadlineMs, signal });
      machine = new CloudHypervisorMachine(this.#record(spec, vmm), spec.logDir, {
        exited: vmm.exited,
        isolation: this.#isolation(spec),
      });
      machine.follow();
      await greet(machine, signal);
      await bring(machine, this.#landlocked(config, vmm), signal);
      return machine;
    } catch (thrown) {
      const error = await explain(thrown, vmm, machine, spec);
      if (machine) await machine.kill();
      else if (vmm) await endProcess(vmm.identity, 0);
      removeFiles(spec);
      throw error;
    }
  }

  async adopt(record: MachineRecord, logDir: string): Promise<Machine | null> {
    return await adoptMachine(record, logDir);
  }

  #spawn(spec: MachineSpec): Detached {
    const logFile = join(spec.logDir, VM_LOG_FILES.vmm);
    const vmm = spawnDetached(vmmCommand(this.program, spec), { cwd: spec.workDir, logFile });
    chmodSync(logFile, 0o600);
    return vmm;
  }

  /** Its rules may only name what the VMM sees; a namespace of the network does not bring a /sys of its own by itself. */
  #landlocked(config: VmConfig, vmm: Detached): VmConfig {
    if (this.#landlockMissing !== null) return config;
    const seen = ({ tap }: { tap: string }) => existsSync(`/proc/${vmm.identity.pid}/root${tapDirectory(tap)}`);
    return withLandlock(config, config.net.every(seen));
  }

  #record(spec: MachineSpec, vmm: Detached): MachineRecord {
    return {
      hypervisor: this.name,
      accelerator: this.accelerator,
      process: withExecutable(vmm.identity),
      runDir: spec.workDir,
      cgroup: spec.jail.cgroup,
    };
  }

  /** It brings a system call filter per thread, and Landlock where the kernel has it. */
  #isolation({ jail, nic }: MachineSpec): Isolation {
    const { uid, measures, missing } = jail.isolation;
    const own = new Set<Measure>(["seccomp"]);
    if (nic.kind === "tap") own.add("network-namespace");
    const gaps = missing.filter(({ measure }) => !own.has(measure));
    if (this.#landlockMissing === null) own.add("landlock");
    else gaps.push({ measure: "landlock", reason: this.#landlockMissing });
    return { uid, measures: [...new Set([...measures, ...own])], missing: gaps };
  }
}

function removeFiles({ runDir, workDir }: MachineSpec): void {
  rmSync(join(runDir, VM_RUN_FILES.pid), { force: true });
  for (const file of Object.values(WORK_FILES)) rmSync(join(workDir, file), { force: true });
}

/** Waits for the API socket, or for the VMM's end. @throws HypeError hypervisor_failed | cancelled */
async function socketAppears(
  workDir: string,
  vmm: Detached,
  until: { deadlineMs: number; signal: AbortSignal },
): Promise<void> {
  const outcome = await fileAppears(join(workDir, WORK_FILES.api), vmm, until);
  if (outcome === "late") throw new HypeError("hypervisor_failed", "Cloud Hypervisor did not open its API socket");
  if (outcome === "ended") throw new HypeError("hypervisor_failed", "Cloud Hypervisor did not start");
}

/** Waits for the first answer and looks who it is. @throws HypeError hypervisor_failed | hypervisor_unavailable | cancelled */
async function greet({ api, record }: CloudHypervisorMachine, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { version, features } = await api.ask("ping", Ping, { signal });
      mustBeNewEnough(`v${version}`, Number.parseInt(version, 10));
      if (features && !features.includes("kvm"))
        throw new HypeError(
          "hypervisor_unavailable",
          `this Cloud Hypervisor was built without KVM (it has: ${features.join(", ")})`,
        );
      return;
    } catch (thrown) {
      const refused = ((thrown as Error).cause as { code?: string } | undefined)?.code;
      const mayListenYet =
        refused === "ECONNREFUSED" || refused === "ConnectionRefused" || refused === "FailedToOpenSocket";
      if (!mayListenYet || attempt === LISTEN_ATTEMPTS || !isAlive(record.process)) throw thrown;
      await Bun.sleep(LISTEN_PAUSE_MS);
    }
  }
}

/** Creation checks nothing: what is wrong with a configuration shows at the boot. */
async function bring({ api }: CloudHypervisorMachine, body: VmConfig, signal: AbortSignal): Promise<void> {
  await api.call("create", { body, signal });
  await api.call("boot", { signal });
}

/** Adds to a failure how the process ended, where it did, and the tail of its log. */
async function explain(
  thrown: unknown,
  vmm: Detached | null,
  machine: CloudHypervisorMachine | null,
  spec: MachineSpec,
): Promise<unknown> {
  if (!(thrown instanceof HypeError)) return fileError(thrown, spec.runDir);
  if (vmm === null || thrown.code !== "hypervisor_failed") return thrown;
  // A broken connection is heard of before the death that broke it.
  const ended = await waitGone(vmm.identity, "chain" in thrown.details ? 0 : DEATH_WAIT_MS);
  const { exitCode, signal } = ended ? await vmm.exited : { exitCode: null, signal: null };
  const fault = machine?.guestFault;
  const end = fault
    ? `was ended, since its guest ${fault === "panic" ? "panicked" : "asked for a reset"}`
    : signal === null
      ? `ended with exit code ${exitCode}`
      : `was killed by ${signal}`;
  const how = ended ? `; the VMM ${end}` : "";
  const log = tailFile(join(spec.logDir, VM_LOG_FILES.vmm), LOG_TAIL_BYTES).trim().replaceAll(spec.token, "[token]");
  const message = `${thrown.message.replaceAll(spec.token, "[token]")}${how}; its log: ${log || "empty"}`;
  return new HypeError(thrown.code, message, { ...thrown.details, log }, { cause: thrown });
}
