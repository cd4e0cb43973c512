import { existsSync } from "node:fs";
import { join } from "node:path";
import { HypeError, messageOf } from "../contract/index.ts";
import { writeAtomic } from "../host/files.ts";
import { bootId } from "../host/process.ts";
import { tail } from "../host/run.ts";

/** Whether KVM really runs a guest here, and why it is believed. */
export type KvmVerdict = { works: boolean; reason: string };

export const kvmVerdictFile = (home: string): string => join(home, "kvm-probe.json");

/** A kernel without a root file system says this at the end of its boot. */
export const BOOTED = /VFS: (Unable to mount root|Cannot open root device)|Kernel panic - not syncing/;

export const BOOTED_VERDICT: KvmVerdict = { works: true, reason: "KVM booted a probe guest" };
export const failedVerdict = (said: string): KvmVerdict => ({
  works: false,
  reason: `KVM could not run the probe guest: ${tail(said, 3) || "no output"}`,
});

/** Native, a kernel comes to the end of its boot in about a second; a host that cannot run it spins. */
export const PROBE_DEADLINE_MS = 10_000;

/**
 * The verdict of an earlier probe with this program since the host booted, else that of `boot`, which is kept.
 * @param verdictFile JSON file the verdict is kept in.
 * @param boot runs a guest for at most PROBE_DEADLINE_MS; what it throws is a verdict too, but a cancellation is not.
 */
export async function kvmVerdict(
  verdictFile: string,
  program: string,
  boot: () => Promise<KvmVerdict>,
  signal?: AbortSignal,
): Promise<KvmVerdict> {
  const kept = (await Bun.file(verdictFile)
    .json()
    .catch(() => null)) as (KvmVerdict & { boot_id: string; program: string }) | null;
  if (kept?.boot_id === bootId() && kept.program === program) return { works: kept.works, reason: kept.reason };
  const verdict = await judge(boot, signal);
  writeAtomic(verdictFile, JSON.stringify({ boot_id: bootId(), program, ...verdict }));
  return verdict;
}

async function judge(boot: () => Promise<KvmVerdict>, signal?: AbortSignal): Promise<KvmVerdict> {
  if (!existsSync("/dev/kvm")) return { works: false, reason: "there is no /dev/kvm on this host" };
  try {
    return await boot();
  } catch (thrown) {
    if (signal?.aborted) throw thrown; // says nothing about KVM, and must not be kept
    const late = thrown instanceof HypeError && thrown.code === "operation_timeout";
    return {
      works: false,
      reason: late
        ? `/dev/kvm opens, but a stock kernel did not boot with it within ${PROBE_DEADLINE_MS / 1000} s`
        : `KVM could not be probed: ${messageOf(thrown)}`,
    };
  }
}
