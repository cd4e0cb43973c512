import { existsSync } from "node:fs";
import { HypeError, messageOf } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import { BOOTED, keepVerdict, type KvmVerdict } from "../kvm-verdict.ts";

/** Native, a kernel comes to the end of its boot in about a second; a host that cannot run it spins. */
const DEADLINE_MS = 10_000;
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
  return await keepVerdict(verdictFile, program, () => bootProbe(program, kernel, signal));
}

async function bootProbe(program: string, kernel: string, signal?: AbortSignal): Promise<KvmVerdict> {
  if (!existsSync("/dev/kvm")) return { works: false, reason: "there is no /dev/kvm on this host" };
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
      timeoutMs: DEADLINE_MS,
      signal: signal ? AbortSignal.any([signal, seen.signal]) : seen.signal,
      onStderr: (text) => {
        said = (said + text).slice(-SAID_CHARACTERS);
        if (BOOTED.test(said)) seen.abort();
      },
    });
    return { works: false, reason: `KVM could not run the probe guest: ${tail(stderr, 3) || "no output"}` };
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    if (seen.signal.aborted) return { works: true, reason: "KVM booted a probe guest" };
    const late = thrown instanceof HypeError && thrown.code === "operation_timeout";
    return {
      works: false,
      reason: late
        ? `/dev/kvm opens, but a stock kernel did not boot with it within ${DEADLINE_MS / 1000} s`
        : `KVM could not be probed: ${messageOf(thrown)}`,
    };
  }
}
