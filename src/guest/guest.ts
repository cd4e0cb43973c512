import type { AgentHealth } from "../contract/index.ts";

/** The server's end of the wire to the agent in one VM. */
export declare class Guest {
  constructor(endpoint: string, token: string);
  health(signal?: AbortSignal): Promise<AgentHealth>;
}
