import { run } from "../../host/run.ts";
import {
  BOOTED,
  BOOTED_VERDICT,
  failedVerdict,
  kvmVerdict,
  type KvmVerdict,
  PROBE_DEADLINE_MS,
} from "../kvm-verdict.ts";

const SAID_CHARACTERS = 65_536;

/**
 * Can KVM run a stock kernel here? As the probe with QEMU, for hosts without it: a kernel is booted until it panics for want of a root
 * file system. Cloud Hypervisor would then boot it again and again, so it is ended at the first panic.
 * @param verdictFile JSON file the verdict is kept in, per host boot.
 */
export async function probeKvmByCloudHypervisor(
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
      "--kernel",
      kernel,
      "--cmdline",
      "console=ttyS0 panic=-1",
      "--cpus",
      "boot=1",
      "--memory",
      "size=256M",
    ],
    ...["--serial", "tty", "--console", "off"],
  ];
  const seen = new AbortController();
  let said = "";
  try {
    // The guest's console comes on standard output; run() hands over standard error as it comes.
    const { stderr } = await run(["/bin/sh", "-c", 'exec "$@" >&2', "sh", ...argv], {
      timeoutMs: PROBE_DEADLINE_MS,
      signal: signal ? AbortSignal.any([signal, seen.signal]) : seen.signal,
      onStderr: (text) => {
        said = (said + text).slice(-SAID_CHARACTERS);
        if (BOOTED.test(said)) seen.abort();
      },
    });
    return failedVerdict(stderr);
  } catch (thrown) {
    if (seen.signal.aborted && !signal?.aborted) return BOOTED_VERDICT;
    throw thrown;
  }
}
