import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { DEFAULT_CONFIG_FILE } from "../config/load.ts";
import { messageOf } from "../contract/errors.ts";
import { kindOf } from "./actions/kinds.ts";
import { ETC } from "./plan.ts";
import type { Entry, SetupRecord } from "./record.ts";
import { tellSystemd } from "./run-plan.ts";

/** Named after us: a purge removes them, and the settings, also where an earlier uninstall kept them and forgot that setup had made them. */
export const DATA_DIRECTORIES = ["/var/lib/overhyped", "/var/log/overhyped"] as const;

/** In the order they are taken back: the last made first. */
export const undoOrder = (record: SetupRecord): Entry[] => record.entries.toReversed();

/**
 * Takes back what setup made, as the record has it: what was there before stays or returns. Goes on where something cannot be taken back,
 * and keeps it in the record, so that another run tries again.
 * @param network takes down bridge and table; called once the units are gone and before any file is.
 * @returns remarks on what stays, and faults.
 */
export async function uninstall(
  record: SetupRecord,
  { purge, network, onUndone }: { purge: boolean; network: () => Promise<void>; onUndone: (entry: Entry) => void },
): Promise<{ remarks: string[]; faults: string[] }> {
  const remarks: string[] = [];
  const faults: string[] = [];
  const entries = undoOrder(record);
  const units = entries.filter(({ action }) => action.kind === "unit");
  const others = entries.filter(({ action }) => action.kind !== "unit");

  const takeBack = async (entry: Entry) => {
    try {
      // The record goes with its last entry, and its directory can only go after it.
      record.forget(entry.action);
      if (record.entries.length === 0) record.save();
      const remark = await kindOf(entry.action).restore(entry.action, entry.before, purge ? "purge" : "uninstall");
      if (remark) remarks.push(remark);
      if (record.entries.length > 0) record.save();
      onUndone(entry);
    } catch (thrown) {
      record.intend(entry.action, entry.before);
      faults.push(messageOf(thrown));
    }
  };

  for (const entry of units) await takeBack(entry);
  try {
    await network();
  } catch (thrown) {
    faults.push(messageOf(thrown));
  }
  for (const entry of others) {
    const holdsRecord = entry.action.kind === "directory" && entry.action.path === ETC;
    if (!holdsRecord || faults.length === 0) await takeBack(entry);
  }
  if (purge) {
    for (const path of DATA_DIRECTORIES) rmSync(path, { recursive: true, force: true });
    rmSync(DEFAULT_CONFIG_FILE, { force: true });
    if (faults.length === 0 && existsSync(ETC) && readdirSync(ETC).length === 0) rmdirSync(ETC);
  }
  if (faults.length > 0) record.save();
  await tellSystemd(entries.map(({ action }) => action)).catch((thrown) => faults.push(messageOf(thrown)));
  return { remarks, faults };
}
