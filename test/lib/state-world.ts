import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "./agent.ts";
import { drive } from "./drive.ts";
import { serveStateSite, type StateSite } from "./state-site.ts";

/** An agent with a real Chromium, and the site of state, observation, interception and downloads beside it. */
export type StateWorld = AsyncDisposable & {
  agent: RunningAgent;
  site: StateSite;
  guest: Guest;
  page: ReturnType<typeof drive>;
};

export async function startStateWorld(): Promise<StateWorld> {
  const site = serveStateSite();
  const agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
  return {
    ...{ agent, site, guest, page: drive(guest) },
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}
