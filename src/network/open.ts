import type { Config } from "../config/load.ts";
import type { Log } from "../log/log.ts";
import type { Network } from "./network.ts";
import { UserNetwork } from "./user/user-network.ts";

/** The network this host uses: one passt process per VM, with or without root (docs/roadmap.md names the slot network). */
export const openNetwork = async (config: Config, _log: Log): Promise<Network> => new UserNetwork(config.passt);
