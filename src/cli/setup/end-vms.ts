import { existsSync } from "node:fs";
import type { Client } from "../../client/types.ts";
import type { Config } from "../../config/load.ts";
import { HypeError } from "../../contract/errors.ts";
import { unitState } from "../../setup/actions/unit.ts";
import { UNITS } from "../../setup/files/units.ts";
import { connection } from "../command.ts";
import type { CliContext } from "../context.ts";
import { rowsOf } from "../doctor/rows.ts";
import { plural } from "../../text/units.ts";

/** States in which a VM holds processes and network of this host. */
const LIVE = ["creating", "starting", "running", "paused", "stopping", "deleting"];

/**
 * Ends every VM of this host before its ground is removed: stops them, or deletes them where the data go too. By the server that runs, or by
 * one of our own for the duration.
 * @param consent asked when VMs live; its words say what will happen.
 * @throws HypeError setup_failed when a server that systemd does not manage uses the state; whatever consent throws
 */
export async function endVms(
  config: Config,
  context: CliContext,
  { purge, consent }: { purge: boolean; consent: (question: string) => Promise<void> },
): Promise<string[]> {
  await using place = await findPlace(config, context);
  if (!place) return [];
  const { items } = await place.client.vms.list({ limit: "1000" });
  const live = items.filter(({ status }) => LIVE.includes(status));
  const names = live.map(({ name }) => name);
  const verb = purge ? "deleted" : "stopped";
  if (names.length > 0) await consent(`${plural(names.length, "VM")} (${names.join(", ")}) will be ${verb}`);
  for (const { name } of purge ? items : live)
    await (purge ? place.client.vms.delete(name) : place.client.vms.stop(name));
  return names;
}

const ANSWER_DEADLINE_MS = 5_000;

type Place = AsyncDisposable & { client: Client };

/** null: no VM lives. */
async function findPlace(config: Config, context: CliContext): Promise<Place | null> {
  const connect = async (base: string) =>
    await context.connect(await connection({ ...config, apiBase: base, apiKey: null }));
  const client = await connect(config.apiBase);
  if (await answers(client)) {
    const unit = await unitState(UNITS.server, "ActiveState");
    if (unit?.ActiveState !== "active")
      throw new HypeError(
        "setup_failed",
        `a server that was started by hand answers at ${config.apiBase}: stop it first`,
      );
    return { client, async [Symbol.asyncDispose]() {} };
  }
  const rows = rowsOf(config.dbPath);
  if (rows && !rows.some(({ status }) => LIVE.includes(status))) return null;
  if (!existsSync(config.dbPath)) return null;
  const { startServer } = await import("../../server/start.ts");
  const { silentLog } = await import("../../log/log.ts");
  // Slots of VMs there are taken away whichever network new ones would get; that one need not be there any more.
  const server = await startServer({
    config: { ...config, listen: { host: "127.0.0.1", port: 0 }, tls: null, network: "user" },
    log: silentLog,
  });
  return { client: await connect(server.url), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function answers(client: Client): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
  try {
    return await client.health({ signal });
  } catch (thrown) {
    if (signal.aborted) return false; // something listens there that is no server of ours
    if (thrown instanceof HypeError && thrown.code === "server_unreachable") return false;
    throw thrown;
  }
}
