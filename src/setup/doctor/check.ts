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
};

export type Check = { id: string; run(around: Surroundings): Promise<Omit<Finding, "id">> };
