import { connect } from "../../src/client/client.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { chromiumWith } from "../lib/browsing.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { serveDaySite } from "./site.ts";

/** The real server over the real agent and a real Chromium, a site, and the URLs that `hype cdp` gives for it. */
export class Day implements AsyncDisposable {
  private constructor(
    readonly agent: RunningAgent,
    readonly guest: Guest,
    readonly site: ReturnType<typeof serveDaySite>,
    public server: TestServer,
    readonly urls: { ws_url: string; http_url: string },
    private readonly directory: Disposable,
  ) {}

  /** @param flags further ones of Chromium */
  static async begin(flags: string[] = []): Promise<Day> {
    const directory = temporaryDirectory();
    const agent = await startAgent(flags.length > 0 ? { chromium: chromiumWith(flags, directory.path) } : {});
    const guest = new Guest(agent.endpoint, agent.token);
    await guest.ready(60_000);
    const server = serverOver(guest);
    const urls = await connect({ base: server.url, key: KEY }).vms.cdpToken("demo");
    return new Day(agent, guest, serveDaySite(), server, urls, directory);
  }

  /** The server ends; agent and browser live on. Another one takes its place, at the same address. */
  async restartServer(): Promise<void> {
    const { port } = new URL(this.server.url);
    await this.server[Symbol.asyncDispose]();
    this.server = serverOver(this.guest, Number(port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
    this.directory[Symbol.dispose]();
  }
}

function serverOver(guest: Guest, port = 0): TestServer {
  const server = startTestServer({ port });
  server.engine.add("demo");
  server.engine.guests.set("demo", guest);
  return server;
}
