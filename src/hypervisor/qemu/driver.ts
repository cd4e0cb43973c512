import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../config/paths.ts";
import { HypeError, type Isolation, type Measure, TOKEN_OEM_PREFIX } from "../../contract/index.ts";
import { fileAppears } from "../../host/file-appears.ts";
import { tailFile, writeAtomic } from "../../host/files.ts";
import { type Detached, endProcess, isAlive, spawnDetached } from "../../host/process.ts";
import type { HypervisorDriver, Machine, MachineRecord, MachineSpec } from "../driver.ts";
import { qemuArguments } from "./arguments.ts";
import { QemuMachine } from "./machine.ts";

/** QEMU answers on its control socket ~60 ms after the spawn here; a host that needs this long is broken. */
const SOCKET_DEADLINE_MS = 15_000;

/** No file that QEMU writes may pass this size, whether a server watches or not: a guest can flood its console. */
const FILE_LIMIT_BLOCKS = (64 * 1_048_576) / 512;

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
    writeAtomic(join(spec.workDir, VM_RUN_FILES.token), `${TOKEN_OEM_PREFIX}${spec.token}`);
    const vmm = this.#spawn(argv, spec);
    try {
      writeAtomic(join(spec.runDir, VM_RUN_FILES.pid), JSON.stringify(vmm.identity));
      await socketAppears(spec.workDir, vmm, signal, () => tailFile(join(spec.logDir, VM_LOG_FILES.vmm), 4096));
      const record: MachineRecord = {
        hypervisor: this.name,
        accelerator: this.accelerator,
        process: vmm.identity,
        runDir: spec.workDir,
        cgroup: spec.jail.cgroup,
      };
      const machine = await openListening(record, spec, vmm, isolation(spec));
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
    if (!isAlive(record.process)) return null;
    try {
      return await QemuMachine.open(record, logDir, null);
    } catch {
      // A machine that cannot be steered is no machine: the caller was promised that null means dead.
      await endProcess(record.process, 0);
      return null;
    }
  }

  /** The shell sets the limit and makes an over-long write fail instead of killing QEMU (setrlimit(2): SIGXFSZ), then becomes QEMU. */
  #spawn(argv: string[], spec: MachineSpec): Detached {
    const limited = [
      "/bin/sh",
      "-c",
      `trap '' XFSZ; ulimit -f ${FILE_LIMIT_BLOCKS}; umask 077; exec "$@"`,
      "sh",
      this.program,
      ...argv,
    ] as const;
    const logFile = join(spec.logDir, VM_LOG_FILES.vmm);
    const namespace = spec.nic.kind === "tap" ? spec.nic.namespace : null;
    const vmm = spawnDetached(spec.jail.command(limited, namespace), { cwd: spec.workDir, logFile });
    chmodSync(logFile, 0o600);
    return vmm;
  }
}

/** Waits for QEMU's control socket, or for its end. @throws HypeError hypervisor_failed | cancelled */
async function socketAppears(runDir: string, vmm: Detached, signal: AbortSignal, output: () => string): Promise<void> {
  const socket = join(runDir, VM_RUN_FILES.qmp);
  const outcome = await fileAppears(socket, vmm, { deadlineMs: SOCKET_DEADLINE_MS, signal });
  if (outcome === "appeared") return;
  if (outcome === "late") throw new HypeError("hypervisor_failed", `QEMU did not open its control socket: ${output()}`);
  const { exitCode, signal: by } = await vmm.exited;
  throw new HypeError(
    "hypervisor_failed",
    `QEMU ended at once (${by ?? `exit ${exitCode}`}): ${output() || "it said nothing"}`,
  );
}

/** The socket's file appears at bind(2), a moment before listen(2): a refusal in between is not an answer yet. */
async function openListening(
  record: MachineRecord,
  spec: MachineSpec,
  vmm: Detached,
  isolation: Isolation,
): Promise<Machine> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await QemuMachine.open(record, spec.logDir, { exited: vmm.exited, isolation });
    } catch (thrown) {
      const refused = ((thrown as Error).cause as { code?: string } | undefined)?.code === "ECONNREFUSED";
      if (!refused || attempt === 50 || !isAlive(vmm.identity)) throw thrown;
      await Bun.sleep(5);
    }
  }
}

/** QEMU brings its system call filter (-sandbox) and the limits of its shell; Landlock it does not know. */
function isolation({ jail, nic }: MachineSpec): Isolation {
  const { uid, measures, missing } = jail.isolation;
  const own: Measure[] = ["seccomp", "resource-limits", ...(nic.kind === "tap" ? ["network-namespace" as const] : [])];
  return {
    uid,
    measures: [...measures, ...own],
    missing: [...missing, { measure: "landlock", reason: "QEMU has no file access rules of its own" }],
  };
}
