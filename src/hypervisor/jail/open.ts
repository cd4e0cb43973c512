import type { Config } from "../../config/load.ts";
import { HypeError } from "../../contract/index.ts";
import type { Log } from "../../log/log.ts";
import type { Jailer } from "./jail.ts";
import { NoJail } from "./no-jail.ts";

/** The jail this host and these settings give. @throws HypeError jail_unavailable when one is required and none can be had. */
export async function openJailer(config: Config, _log: Log): Promise<Jailer> {
  if (config.jail === "required")
    throw new HypeError("jail_unavailable", "VMMs cannot be jailed: this server does not run as root");
  return new NoJail(config.jail === "off" ? "OVERHYPED_JAIL=off" : "the server does not run as root");
}
