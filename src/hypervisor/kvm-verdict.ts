import { join } from "node:path";
import { writeAtomic } from "../host/files.ts";
import { bootId } from "../host/process.ts";

/** Whether KVM really runs a guest here, and why it is believed. */
export type KvmVerdict = { works: boolean; reason: string };

export const kvmVerdictFile = (home: string): string => join(home, "kvm-probe.json");

/** A kernel without a root file system says this at the end of its boot. */
export const BOOTED = /VFS: (Unable to mount root|Cannot open root device)|Kernel panic - not syncing/;

/**
 * The verdict of an earlier probe with this program since the host booted, else that of `probe`, which is kept.
 * @param verdictFile JSON file the verdict is kept in.
 */
export async function keepVerdict(
  verdictFile: string,
  program: string,
  probe: () => Promise<KvmVerdict>,
): Promise<KvmVerdict> {
  const kept = (await Bun.file(verdictFile)
    .json()
    .catch(() => null)) as (KvmVerdict & { boot_id: string; program: string }) | null;
  if (kept?.boot_id === bootId() && kept.program === program) return { works: kept.works, reason: kept.reason };
  const verdict = await probe();
  writeAtomic(verdictFile, JSON.stringify({ boot_id: bootId(), program, ...verdict }));
  return verdict;
}
