import { HypeError } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import {
  BOOTED,
  BOOTED_VERDICT,
  failedVerdict,
  kvmVerdict,
  type KvmVerdict,
  PROBE_DEADLINE_MS,
} from "../kvm-verdict.ts";

/** @returns the version text, e.g. `7.2.22`. @throws HypeError tool_missing | hypervisor_unavailable */
export async function qemuVersion(program: string): Promise<string> {
  const { code, stdout, stderr } = await run([program, "--version"], { timeoutMs: 10_000 });
  const version = /QEMU emulator version (\S+)/.exec(stdout)?.[1];
  if (code !== 0 || !version)
    throw new HypeError("hypervisor_unavailable", `${program} is not QEMU: ${tail(stdout + stderr, 3)}`);
  // The stream network backend that passt needs came with 7.2.
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 7 || (major === 7 && minor < 2))
    throw new HypeError("hypervisor_unavailable", `QEMU ${version} is too old: 7.2 or newer is needed`);
  return version;
}

/**
 * Can KVM run a stock kernel here? Asked by booting one without a root file system until it panics for want of one, since a /dev/kvm
 * exists in the wild that opens, passes every capability check and then spins. The verdict is kept per host boot.
 * @param verdictFile JSON file the verdict is kept in.
 */
export async function probeKvm(
  program: string,
  kernel: string,
  verdictFile: string,
  signal?: AbortSignal,
): Promise<KvmVerdict> {
  return await kvmVerdict(verdictFile, program, () => boot(program, kernel, signal), signal);
}

async function boot(program: string, kernel: string, signal?: AbortSignal): Promise<KvmVerdict> {
  const argv = [
    ...[
      program,
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-no-reboot",
      "-machine",
      "q35",
      "-accel",
      "kvm",
      "-cpu",
      "host",
    ],
    ...["-m", "256M", "-serial", "stdio", "-kernel", kernel, "-append", "console=ttyS0 panic=-1"],
  ] as unknown as [string, ...string[]];
  const { stdout, stderr } = await run(argv, { timeoutMs: PROBE_DEADLINE_MS, ...(signal ? { signal } : {}) });
  return BOOTED.test(stdout) ? BOOTED_VERDICT : failedVerdict(stderr || stdout);
}
