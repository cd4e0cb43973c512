import { existsSync } from "node:fs";
import type { Config } from "../../config/load.ts";
import type { SystemStatus } from "../../contract/system.ts";

/** `fail`: something will not work. `warn`: it works with a drawback. `note`: worth knowing. */
export type CheckStatus = "ok" | "note" | "warn" | "fail";

export type Finding = {
  id: string;
  status: CheckStatus;
  /** What was seen, with its values. */
  seen: string;
  /** Why it matters; shown where the status is not ok. */
  why: string;
  /** What to do; null where there is nothing to do. */
  remedy: string | null;
};

/** Other rooms, as far as the doctor asks them. Handed in, since this room knows the host only. */
export type Surroundings = {
  config: Config;
  /** The hypervisor and accelerator that VMs would get. @throws HypeError where there is none */
  driver(): Promise<{ name: string; version: string; accelerator: "kvm" | "tcg"; reason: string }>;
  /** The default image, fully checked; null when there is none. @throws HypeError image_invalid */
  defaultImage(): Promise<{ id: string; bytes: number; summary: string } | null>;
  /** @throws HypeError server_unreachable | unauthorized */
  server(): Promise<SystemStatus>;
  /** Ids and addresses of the VMs that have a row; null where there is no database or it cannot be read. Changes nothing. */
  rows(): Promise<{ id: string; ip_address: string }[] | null>;
  /** What `hype setup` would change now, in words; null where this user cannot know. */
  openChanges(): Promise<string[] | null>;
};

/** A finding with nothing to do. */
export const fine = (seen: string, why: string): Omit<Finding, "id"> => ({ status: "ok", seen, why, remedy: null });
/** A finding with a remedy. */
export const finding = (
  status: Exclude<CheckStatus, "ok">,
  seen: string,
  why: string,
  remedy: string | null,
): Omit<Finding, "id"> => ({ status, seen, why, remedy });

export const isRoot = (): boolean => process.getuid?.() === 0;
/** VMs get slots: by the settings, or since root finds the host set up for them. */
export const wantsSlots = ({ network, bridge }: Config): boolean =>
  network === "slot" || (network === "auto" && isRoot() && existsSync(`/sys/class/net/${bridge}`));

export type Check = { id: string; run(around: Surroundings): Promise<Omit<Finding, "id">> };
