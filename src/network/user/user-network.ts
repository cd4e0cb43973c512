import { chmodSync, chownSync, lchownSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../config/paths.ts";
import { type EgressPolicy, HypeError } from "../../contract/index.ts";
import { fileAppears } from "../../host/file-appears.ts";
import { fileError, tailFile, writeAtomic } from "../../host/files.ts";
import { freePort } from "../../host/free-port.ts";
import { type Detached, endProcess, isAlive, spawnDetached } from "../../host/process.ts";
import { enter } from "../../hypervisor/jail/command.ts";
import { type Attachment, type AttachmentRecord, INSIDE, type Network, type NetworkClient } from "../network.ts";
import { passtArguments } from "./passt.ts";

const READY_DEADLINE_MS = 10_000;
/** A port is found free before passt takes it; somebody may be faster. */
const PORT_ATTEMPTS = 5;
/** passt drops root for the VM's user, else for this one, and then makes its socket: it needs a directory of its own. */
export const NOBODY = 65_534;
/** Its log is cut at 1 MB by itself. */
const FILE_LIMIT_MB = 16;
/** A socket per connection of the guest. */
const OPEN_FILES = 65_536;

/** Network without root: one passt process per VM, one forwarded loopback port, the host's loopback closed to the guest. */
export class UserNetwork implements Network {
  readonly mode = "user";
  /** passt routes what the host routes: nothing is policed but the host's own loopback. */
  readonly defaultEgress: EgressPolicy = { mode: "open", allow: [], deny: [] };

  constructor(private readonly program: string) {}

  mustPolice({ mode, allow, deny }: EgressPolicy): void {
    if (mode === "open" && allow.length === 0 && deny.length === 0) return;
    throw new HypeError("egress_unsupported", "the user network (passt) cannot keep a guest to an egress policy");
  }

  async attach(vm: NetworkClient, signal: AbortSignal): Promise<Attachment> {
    this.mustPolice(vm.egress); // a VM made on another network is not let loose here
    if (!Bun.which(this.program))
      throw new HypeError(
        "tool_missing",
        `the program ${this.program} is not installed (Debian and Ubuntu: apt install passt)`,
        { tool: this.program },
      );
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const passt = await this.#start(vm, port, signal);
      if (passt)
        return {
          record: { mode: this.mode, endpoint: `http://127.0.0.1:${port}`, processes: [passt.identity] },
          nic: { kind: "passt", socket: `../net/${VM_RUN_FILES.passtSocket}`, mac: INSIDE.mac },
          ipParameter: `${INSIDE.address}::${INSIDE.gateway}:${INSIDE.netmask}:${vm.name}:${INSIDE.interface}:off:${INSIDE.dns}`,
        };
      if (attempt === PORT_ATTEMPTS)
        throw new HypeError(
          "network_failed",
          `passt did not start: ${tailFile(join(vm.logDir, VM_LOG_FILES.network), 2048)}`,
        );
    }
  }

  async alive(record: AttachmentRecord): Promise<boolean> {
    return record.processes.every(isAlive);
  }

  async detach(record: AttachmentRecord): Promise<void> {
    await Promise.all(record.processes.map((process) => endProcess(process, 0)));
  }

  async setEgress(_record: AttachmentRecord, policy: EgressPolicy): Promise<void> {
    this.mustPolice(policy);
  }

  async egress(): Promise<null> {
    return null;
  }

  /** Every passt stands in its VM's row and directory: there is nothing else of ours to look for. */
  async reconcile(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** @returns null when passt ended at once, most likely since its port was taken. @throws HypeError network_failed | cancelled */
  async #start(vm: NetworkClient, port: number, signal: AbortSignal): Promise<Detached | null> {
    const directory = join(vm.runDir, "net");
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? (vm.uid ?? NOBODY) : null;
    makePasstDirectory(directory, user);
    const logFile = join(vm.logDir, VM_LOG_FILES.network);
    const argv = passtArguments({
      socket: VM_RUN_FILES.passtSocket,
      pidFile: "passt.pid",
      logFile,
      port,
      hasDns: hostHasDns(),
      user,
    });
    const passt = spawnDetached(confined([this.program, ...argv], vm.cgroup ?? null), {
      cwd: directory,
      logFile: join(vm.logDir, "passt-output.log"),
    });
    try {
      writeAtomic(join(vm.runDir, VM_RUN_FILES.passtPid), JSON.stringify(passt.identity));
      if (!(await pidFileAppears(directory, passt, signal))) return null;
      if (isRoot && vm.uid === null) giveToRoot(directory);
      return passt;
    } catch (thrown) {
      await endProcess(passt.identity, 0);
      throw thrown;
    }
  }
}

/** passt in the VM's cgroup, without new privileges (setpriv(1)); it gives up being root by itself, and shuts itself in with namespaces and seccomp. */
const confined = (argv: readonly string[], cgroup: string | null): [string, ...string[]] =>
  enter(
    {
      uid: null,
      groups: [],
      dropCapabilities: "none",
      noNewPrivileges: Bun.which("setpriv") !== null,
      cgroup,
      files: [],
      network: "host",
      fileLimitMb: FILE_LIMIT_MB,
      openFiles: OPEN_FILES,
      maxTasks: null,
    },
    argv,
  );

/** An empty directory that only passt's user (and root) can enter. */
function makePasstDirectory(directory: string, user: number | null): void {
  try {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { mode: 0o700 });
    chmodSync(directory, 0o700);
    if (user !== null) chownSync(directory, user, user);
  } catch (thrown) {
    throw fileError(thrown, directory);
  }
}

/** A VMM that is root without capabilities can open what is root's alone. passt holds its socket open and needs neither again. */
function giveToRoot(directory: string): void {
  lchownSync(join(directory, VM_RUN_FILES.passtSocket), 0, 0);
  chownSync(directory, 0, 0);
}

/** passt writes its pid file when everything is bound. @returns false when it ended instead. */
async function pidFileAppears(directory: string, passt: Detached, signal: AbortSignal): Promise<boolean> {
  const pidFile = join(directory, "passt.pid");
  const outcome = await fileAppears(pidFile, passt, { deadlineMs: READY_DEADLINE_MS, signal });
  if (outcome === "late") throw new HypeError("network_failed", `passt was not ready within ${READY_DEADLINE_MS} ms`);
  return outcome === "appeared";
}

/** passt refuses to forward DNS to nowhere (resolv.conf(5) without an IPv4 name server). */
function hostHasDns(): boolean {
  try {
    return /^nameserver\s+\d+\.\d+\.\d+\.\d+/m.test(readFileSync("/etc/resolv.conf", "utf8"));
  } catch {
    return false;
  }
}
