import { chmodSync, lchownSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../config/paths.ts";
import { HypeError, type Isolation, type Measure, TOKEN_OEM_PREFIX } from "../../contract/index.ts";
import { fileAppears } from "../../host/file-appears.ts";
import { tailFile, writeAtomic } from "../../host/files.ts";
import { type Detached, endProcess, isAlive, spawnDetached, withExecutable } from "../../host/process.ts";
import { adoptMachine } from "../adopt.ts";
import type { HypervisorDriver, Machine, MachineRecord, MachineSpec } from "../driver.ts";
import { qemuArguments } from "./arguments.ts";
import { QemuMachine } from "./machine.ts";

/** QEMU answers on its control socket ~60 ms after the spawn here; a host that needs this long is broken. */
const SOCKET_DEADLINE_MS = 15_000;

/** No file that QEMU writes may pass this size, whether a server watches or not: a guest can flood its console. */
const FILE_LIMIT_MB = 64;

export class QemuDriver implements HypervisorDriver {
  readonly name = "qemu";

  constructor(
    private readonly program: string,
    readonly version: string,
    readonly accelerator: "kvm" | "tcg",
    readonly reason: string,
  ) {}

  async start(spec: MachineSpec, signal: AbortSignal): Promise<Machine> {
    const argv = qemuArguments(spec, this.accelerator);
    writeToken(spec);
    const vmm = this.#spawn(argv, spec);
    try {
      writeAtomic(join(spec.runDir, VM_RUN_FILES.pid), JSON.stringify(vmm.identity));
      const output = () => tailFile(join(spec.logDir, VM_LOG_FILES.vmm), 4096);
      await socketAppears(spec.workDir, vmm, signal, output);
      const record: MachineRecord = {
        hypervisor: this.name,
        accelerator: this.accelerator,
        process: withExecutable(vmm.identity),
        runDir: spec.workDir,
        cgroup: spec.jail.cgroup,
      };
      const machine = await openListening(record, spec, vmm, signal, output);
      // QEMU has read it; what is not there cannot be stolen.
      rmSync(join(spec.workDir, VM_RUN_FILES.token), { force: true });
      return machine;
    } catch (thrown) {
      await endProcess(vmm.identity, 0);
      rmSync(join(spec.runDir, VM_RUN_FILES.pid), { force: true });
      throw thrown;
    }
  }

  async adopt(record: MachineRecord, logDir: string): Promise<Machine | null> {
    return await adoptMachine(record, logDir);
  }

  #spawn(argv: string[], spec: MachineSpec): Detached {
    const logFile = join(spec.logDir, VM_LOG_FILES.vmm);
    const namespace = spec.nic.kind === "tap" ? spec.nic.namespace : null;
    const command = spec.jail.command([this.program, ...argv], namespace, {
      fileLimitMb: FILE_LIMIT_MB,
    });
    const vmm = spawnDetached(command, { cwd: spec.workDir, logFile });
    chmodSync(logFile, 0o600);
    return vmm;
  }
}

/** QEMU reads it once, as its own user; the directory is still empty, so nobody can have put anything in its way. */
function writeToken({ workDir, token, jail }: MachineSpec): void {
  const file = join(workDir, VM_RUN_FILES.token);
  writeAtomic(file, `${TOKEN_OEM_PREFIX}${token}`);
  if (jail.uid !== null) lchownSync(file, jail.uid, jail.uid);
}

/** Waits for QEMU's control socket, or for its end. @throws HypeError hypervisor_failed | cancelled */
async function socketAppears(runDir: string, vmm: Detached, signal: AbortSignal, output: () => string): Promise<void> {
  const socket = join(runDir, VM_RUN_FILES.qmp);
  const outcome = await fileAppears(socket, vmm, { deadlineMs: SOCKET_DEADLINE_MS, signal });
  if (outcome === "late") throw new HypeError("hypervisor_failed", `QEMU did not open its control socket: ${output()}`);
  if (outcome === "ended") throw await endedAtOnce(vmm, output);
}

async function endedAtOnce(vmm: Detached, output: () => string): Promise<HypeError> {
  const { exitCode, signal } = await vmm.exited;
  return new HypeError(
    "hypervisor_failed",
    `QEMU ended at once (${signal ?? `exit ${exitCode}`}): ${output() || "it said nothing"}`,
  );
}

/** The socket's file appears at bind(2), a moment before listen(2): a refusal in between is not an answer yet, however busy the host is. */
async function openListening(
  record: MachineRecord,
  spec: MachineSpec,
  vmm: Detached,
  signal: AbortSignal,
  output: () => string,
): Promise<Machine> {
  const deadline = performance.now() + SOCKET_DEADLINE_MS;
  for (;;) {
    try {
      return await QemuMachine.open(record, spec.logDir, { exited: vmm.exited, isolation: isolation(spec) });
    } catch (thrown) {
      if (!isAlive(vmm.identity)) throw await endedAtOnce(vmm, output);
      const refused = ((thrown as Error).cause as { code?: string } | undefined)?.code === "ECONNREFUSED";
      if (!refused || performance.now() > deadline) throw thrown;
      if (signal.aborted) throw new HypeError("cancelled", "the start was cancelled");
      await Bun.sleep(5);
    }
  }
}

/** QEMU brings its system call filter (-sandbox); Landlock it does not know. */
function isolation({ jail, nic }: MachineSpec): Isolation {
  const { uid, measures, missing } = jail.isolation;
  const inNamespace = nic.kind === "tap" || measures.includes("network-namespace");
  const isKnown = missing.some(({ measure }) => measure === "network-namespace");
  return {
    uid,
    measures: [...new Set<Measure>([...measures, "seccomp", ...(inNamespace ? (["network-namespace"] as const) : [])])],
    missing: [
      ...missing.filter(({ measure }) => !(inNamespace && measure === "network-namespace")),
      ...(inNamespace || isKnown
        ? []
        : [
            {
              measure: "network-namespace" as const,
              reason: "only root can give a VMM a network of its own",
            },
          ]),
      { measure: "landlock", reason: "QEMU has no file access rules of its own" },
    ],
  };
}
