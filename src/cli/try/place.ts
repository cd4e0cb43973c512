import type { Client } from "../../client/types.ts";
import type { Config } from "../../config/load.ts";
import { HypeError } from "../../contract/errors.ts";
import { connection } from "../command.ts";
import type { CliContext } from "../context.ts";
import { logWriter } from "../output/log-writer.ts";
import type { Progress } from "../output/progress.ts";
import { ensureImage } from "./ensure-image.ts";

/** A server to try things on. One that was started for this is stopped again; its VMs are not its business. */
export type Place = AsyncDisposable & { client: Client; startedHere: boolean };

/** The server that answers at `config.apiBase`, or one of our own in this process, with an image made where there is none. */
export async function findPlace(
  config: Config,
  context: CliContext,
  progress: Progress,
  signal: AbortSignal,
): Promise<Place> {
  progress.step("Looking for a server");
  const client = await context.connect(await connection(config));
  if (await answers(client)) {
    progress.done(`Found the server at ${config.apiBase}`);
    const images = await client.images.list();
    if (images.items.length === 0) await ensureImage(config, progress, signal);
    return { client, startedHere: false, async [Symbol.asyncDispose]() {} };
  }
  progress.done("No server is running: this try brings its own");
  await ensureImage(config, progress, signal);
  progress.step("Starting a server");
  const server = await startOwn(config, context);
  progress.done(`Started a server at ${server.url}`);
  return {
    client: await context.connect(await connection({ ...config, apiBase: server.url })),
    startedHere: true,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function answers(client: Client): Promise<boolean> {
  try {
    return await client.health();
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code === "server_unreachable") return false;
    throw thrown;
  }
}

/** On a free loopback port, so that nothing stands in its way; only errors are worth a line. */
async function startOwn(config: Config, context: CliContext) {
  const { startServer } = await import("../../server/start.ts");
  const { createLog } = await import("../../log/log.ts");
  const { stderr, terminal, paint } = context;
  const log = createLog({ level: "error", write: logWriter(stderr, terminal.stderr, paint.stderr) });
  return await startServer({ config: { ...config, listen: { host: "127.0.0.1", port: 0 }, tls: null }, log });
}
