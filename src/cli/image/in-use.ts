import { existsSync } from "node:fs";
import type { Client } from "../../client/types.ts";
import type { Config } from "../../config/load.ts";
import { paths } from "../../config/paths.ts";
import { HypeError } from "../../contract/errors.ts";
import type { Vm } from "../../contract/vm.ts";

/** Image id -> names of the VMs created from it. Holds the state's lock, where no server does, so that none starts meanwhile. */
export type ImagesInUse = Disposable & { inUse: Map<string, string[]> };

/**
 * VMs outlive the server, so where none runs the database says who uses what; where one runs, it does.
 * @throws HypeError state_locked when a server has this state but does not answer where we look for it
 */
export async function imagesInUse(config: Config, connect: () => Promise<Client>): Promise<ImagesInUse> {
  const free = { inUse: new Map<string, string[]>(), [Symbol.dispose]() {} };
  if (!existsSync(config.dbPath)) return free;
  const { lockExclusively } = await import("../../host/exclusive-lock.ts");
  let lock: Disposable;
  try {
    lock = lockExclusively(paths.serverLock(config));
  } catch (thrown) {
    if (!(thrown instanceof HypeError && thrown.code === "state_locked")) throw thrown;
    return { ...free, inUse: byImage(await vmsOfServer(config, await connect())) };
  }
  try {
    const { openStore } = await import("../../store/open.ts");
    using store = openStore(config.dbPath);
    return { inUse: byImage(store.vms.all()), [Symbol.dispose]: () => lock[Symbol.dispose]() };
  } catch (thrown) {
    lock[Symbol.dispose]();
    throw thrown;
  }
}

async function vmsOfServer(config: Config, client: Client): Promise<Vm[]> {
  try {
    const vms: Vm[] = [];
    for (;;) {
      const { items, total } = await client.vms.list({ limit: "1000", offset: String(vms.length), sort: "created_at" });
      vms.push(...items);
      if (items.length === 0 || vms.length >= total) return vms;
    }
  } catch (thrown) {
    if (!(thrown instanceof HypeError && thrown.code === "server_unreachable")) throw thrown;
    throw new HypeError("state_locked", `a server uses ${config.home} but does not answer at ${config.apiBase}`, {
      remedy: "Name the server with --api, or stop it: images that VMs use must not be removed.",
    });
  }
}

function byImage(vms: Vm[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { image, name } of vms) found.set(image, [...(found.get(image) ?? []), name]);
  return found;
}
