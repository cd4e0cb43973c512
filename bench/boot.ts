import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES, VMM_DIRECTORY } from "../src/config/paths.ts";
import { AGENT_LISTENING_LINE, TOKEN_OEM_PREFIX } from "../src/contract/index.ts";
import { Guest } from "../src/guest/guest.ts";
import { tailFile } from "../src/host/files.ts";
import { endProcess, spawnDetached } from "../src/host/process.ts";
import { NoJail } from "../src/hypervisor/jail/no-jail.ts";
import { qemuArguments } from "../src/hypervisor/qemu/arguments.ts";
import { UserNetwork } from "../src/network/user/user-network.ts";
import { SealedHome } from "../test/lib/hype.ts";
import { temporaryDirectory } from "../test/lib/temporary.ts";
import { kernelCommandLine } from "../src/engine/command-line.ts";
import { defaultImage } from "./lib/image.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";
import { agentDoor } from "./lib/vm-door.ts";

const ROUNDS = 5;
const SHAPE = { cpuCores: 2, memoryMb: 1024 };

/**
 * The same QEMU command line driven bare: spawned, its console read every 10 ms until the door is open, then asked once, in one long poll that
 * ends when DevTools answer. Asking earlier or more often would take time from the guest (passt spins on early connections) and flatter us.
 */
async function bareBoot(accelerator: "kvm" | "tcg"): Promise<number> {
  using directory = temporaryDirectory();
  const [runDir, logDir] = [directory.join("run"), directory.join("log")];
  mkdirSync(runDir);
  mkdirSync(logDir);
  const workDir = join(runDir, VMM_DIRECTORY);
  mkdirSync(workDir);
  const image = await defaultImage();
  const network = new UserNetwork("passt");
  const token = randomBytes(32).toString("hex");
  const started = performance.now();
  const attachment = await network.attach(
    { id: "bare", name: "bare", ipAddress: "192.168.127.2", runDir, logDir, uid: null, egress: network.defaultEgress },
    new AbortController().signal,
  );
  writeFileSync(join(workDir, VM_RUN_FILES.token), `${TOKEN_OEM_PREFIX}${token}`);
  const spec = {
    vmId: "bare",
    ...SHAPE,
    ...image,
    cmdline: kernelCommandLine({ kernel_cmdline: null }, image, attachment.ipParameter),
    token,
    nic: attachment.nic,
    workDir,
    runDir,
    logDir,
    jail: await new NoJail("measured bare").make(),
  };
  const qemu = spawnDetached(["qemu-system-x86_64", ...qemuArguments(spec, accelerator)], {
    cwd: workDir,
    logFile: join(logDir, "vmm.log"),
  });
  try {
    const guest = new Guest(attachment.record.endpoint, token);
    const deadline = performance.now() + 120_000;
    while (performance.now() < deadline) {
      if (!tailFile(join(logDir, VM_LOG_FILES.console)).includes(AGENT_LISTENING_LINE)) {
        await Bun.sleep(10);
        continue;
      }
      const ready = await guest.ready(10_000).then(
        () => true,
        () => false,
      );
      if (ready) return performance.now() - started;
    }
    throw new Error("the bare guest did not come up");
  } finally {
    await endProcess(qemu.identity, 0);
    await network.detach(attachment.record);
  }
}

/** Cold create to `running`, and what the guest uses then. */
export async function boot(): Promise<Row[]> {
  await using home = new SealedHome();
  await home.serve();
  const times = { ours: [] as number[], bare: [] as number[] };
  const used: number[] = [];
  let accelerator: "kvm" | "tcg" = "tcg";
  for (let round = 0; round <= ROUNDS; round++) {
    const started = performance.now();
    const vm = JSON.parse(await home.ok(["vms", "create", "bench", "--cpu", "2", "--memory", "1024", "--json"])) as {
      accelerator: "kvm" | "tcg";
    };
    const ours = performance.now() - started;
    accelerator = vm.accelerator;
    const { memory } = await agentDoor(join(home.path, "state"), "bench").guest.health();
    await home.ok(["vms", "delete", "bench"]);
    const bare = await bareBoot(accelerator);
    if (round === 0) continue; // fills the page cache, verifies the image
    times.ours.push(ours / 1000);
    times.bare.push(bare / 1000);
    used.push(memory.total_mb - memory.available_mb);
  }
  const ratio = median(times.ours) / median(times.bare);
  return [
    {
      what: `cold create -> running (whole CLI process, ${accelerator})`,
      ours: `${spread(times.ours, 2)} s`,
      raw: `${spread(times.bare, 2)} s`,
      figure: `${ratio.toFixed(3)}x`,
      target: "<= 1.05x",
      met: ratio <= 1.05,
      n: ROUNDS,
    },
    {
      what: "guest memory in use when ready",
      ours: `${spread(used, 0)} MB`,
      raw: "-",
      figure: `${median(used).toFixed(0)} MB`,
      target: "<= 400 MB",
      met: median(used) <= 400,
      n: ROUNDS,
    },
  ];
}
