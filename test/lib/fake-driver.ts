import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../src/config/paths.ts";
import { EXPECT_PROFILE_WORD, HypeError, TOKEN_OEM_PREFIX } from "../../src/contract/index.ts";
import { tailFile } from "../../src/host/files.ts";
import {
  type Detached,
  endProcess,
  isAlive,
  type ProcessIdentity,
  signalProcess,
  spawnDetached,
  waitGone,
} from "../../src/host/process.ts";
import type {
  HypervisorDriver,
  Machine,
  MachineExit,
  MachineRecord,
  MachineSpec,
  MachineState,
} from "../../src/hypervisor/driver.ts";
import type { Mood, StubSettings } from "../fake/guest-stub.ts";
import { chromiumProgram, ended, processesOf } from "./chromium.ts";
import { addressOf } from "./fake-network.ts";

const STUB = join(import.meta.dir, "../fake/guest-stub.ts");
const AGENT = join(import.meta.dir, "../../agent/main.ts");

/** Where a fake can be made to fail or to hang. */
export type DriverStep = "start" | "spawned" | "started" | "adopt" | "kill" | "killed";
export type Hook<Step extends string> = (step: Step, vmId: string, signal: AbortSignal | null) => Promise<void> | void;

/** A driver whose machines are real processes (test/fake/guest-stub.ts): pids, signals, files and adoption are as with a VMM. */
export class FakeDriver implements HypervisorDriver {
  readonly name = "qemu";
  readonly version = "0-fake";
  readonly accelerator = "tcg";
  readonly reason = "a test";
  /** `agent`: the guest is the real agent with a real Chromium, as a local process. */
  guest: "stub" | "agent" = "stub";
  /** Mood of stubs that start from now on. */
  mood: Mood = "well";
  hook: Hook<DriverStep> = () => {};
  readonly specs: MachineSpec[] = [];
  readonly machines: FakeMachine[] = [];

  async start(spec: MachineSpec, signal: AbortSignal): Promise<Machine> {
    this.specs.push(spec);
    await this.hook("start", spec.vmId, signal);
    if (signal.aborted) throw new HypeError("cancelled", "the start was cancelled");
    const child = this.guest === "agent" ? startRealAgent(spec) : startStub(spec, this.mood);
    try {
      await this.hook("spawned", spec.vmId, signal);
      writeFileSync(join(spec.runDir, VM_RUN_FILES.pid), JSON.stringify(child.identity));
      await this.hook("started", spec.vmId, signal);
    } catch (thrown) {
      await endProcess(child.identity, 0);
      throw thrown;
    }
    const record: MachineRecord = {
      hypervisor: "qemu",
      accelerator: "tcg",
      process: child.identity,
      runDir: spec.workDir,
      cgroup: spec.jail.cgroup,
    };
    return this.#machine(record, spec.logDir, spec.vmId, child.exited);
  }

  async adopt(record: MachineRecord, logDir: string): Promise<Machine | null> {
    await this.hook("adopt", record.runDir, null);
    return isAlive(record.process) ? this.#machine(record, logDir, record.runDir, watch(record.process)) : null;
  }

  #machine(record: MachineRecord, logDir: string, vmId: string, ended: Promise<End>): FakeMachine {
    const machine = new FakeMachine(record, logDir, ended, (step) => this.hook(step, vmId, null));
    this.machines.push(machine);
    return machine;
  }
}

function startStub(spec: MachineSpec, mood: Mood): Detached {
  const settings: StubSettings = { ...addressOf(spec.nic), mood, logDir: spec.logDir };
  writeFileSync(join(spec.workDir, "stub.json"), JSON.stringify(settings));
  writeFileSync(join(spec.workDir, VM_RUN_FILES.token), `${TOKEN_OEM_PREFIX}${spec.token}`);
  // A jail is entered where a test gives one; else the stub is started at once.
  const argv: [string, ...string[]] = [process.execPath, STUB];
  return spawnDetached(spec.jail.cgroup === null ? argv : spec.jail.command(argv, null), {
    cwd: spec.workDir,
    logFile: join(spec.logDir, VM_LOG_FILES.vmm),
  });
}

function startRealAgent(spec: MachineSpec): Detached {
  const { hostname, port } = addressOf(spec.nic);
  writeFileSync(join(spec.workDir, VM_RUN_FILES.token), spec.token, { mode: 0o600 });
  const where = ["--host", hostname, "--port", String(port), "--machine", "none", "--browser-uid", "none"];
  const files = [
    "--token-file",
    join(spec.workDir, VM_RUN_FILES.token),
    "--user-data-dir",
    join(spec.workDir, "profile"),
  ];
  // Running as root, Chromium can only do without its sandbox; in a guest it has a user of its own.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const told = spec.cmdline.split(" ").includes(EXPECT_PROFILE_WORD) ? ["--expect-profile"] : [];
  const flags = [...where, ...files, ...sandbox, ...told, "--chromium", chromiumProgram()];
  return spawnDetached([process.execPath, AGENT, ...flags], {
    cwd: spec.workDir,
    logFile: join(spec.logDir, VM_LOG_FILES.console), // what the agent says is the console
  });
}

type End = { exitCode: number | null; signal: string | null };

export class FakeMachine implements Machine {
  readonly exited: Promise<MachineExit>;
  readonly isolation = { uid: null, measures: [], missing: [] };
  detached = false;

  constructor(
    readonly record: MachineRecord,
    logDir: string,
    ended: Promise<End>,
    private readonly hook: (step: "kill" | "killed") => Promise<void> | void,
  ) {
    this.exited = ended.then((end) => {
      const how = tailFile(join(record.runDir, "end"));
      return {
        ...end,
        guestShutdown: how === "shutdown",
        guestFault: how === "panic" || how === "reset" ? how : null,
        output: tailFile(join(logDir, VM_LOG_FILES.vmm), 4096),
      };
    });
  }

  async pause(): Promise<void> {
    this.#signal("SIGSTOP");
    // The kernel stops a process a moment after it was told to.
    while ((await this.state()) === "running") await new Promise((next) => setImmediate(next));
  }
  async resume(): Promise<void> {
    this.#signal("SIGCONT");
  }
  async state(): Promise<MachineState> {
    if (!isAlive(this.record.process)) return "dead";
    return /^State:\s+T/m.test(readFileSync(`/proc/${this.record.process.pid}/status`, "utf8")) ? "paused" : "running";
  }
  async powerButton(): Promise<void> {
    this.#signal("SIGTERM");
  }
  async kill(): Promise<void> {
    await this.hook("kill");
    const { pid } = this.record.process;
    const all = isAlive(this.record.process) ? processesOf(pid) : [];
    await endProcess(this.record.process, 0);
    // As a VM does, it ends with all that runs in it: a Chromium that still dies would write into a directory that is being removed.
    await ended(all.filter((one) => one !== pid));
    await new Promise((next) => setImmediate(next));
    await this.hook("killed");
  }
  async memoryMb(): Promise<number | null> {
    return 64;
  }
  detach(): void {
    this.detached = true;
  }

  #signal(signal: NodeJS.Signals): void {
    if (!signalProcess(this.record.process, signal)) throw new HypeError("hypervisor_failed", "the fake VMM is gone");
  }
}

/** Of a process that is not our child nobody tells the exit code. */
async function watch(identity: ProcessIdentity): Promise<End> {
  while (!(await waitGone(identity, 60_000)));
  return { exitCode: null, signal: null };
}
