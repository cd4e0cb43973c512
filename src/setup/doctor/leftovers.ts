import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { shortId } from "../../config/paths.ts";
import { cgroupMount } from "../../host/cgroup.ts";
import { slotNumber } from "../../network/network.ts";
import { slotLinks } from "../../network/slot/survey.ts";
import { slotName } from "../../network/slot/identity.ts";
import { type Check, fine, finding, isRoot } from "./check.ts";

export const leftovers: Check = {
  id: "leftovers",
  async run({ config, rows, server }) {
    const why =
      "What a dead server left behind takes memory, addresses and disk; the next server clears it away by itself";
    const runs = await server().then(
      () => true,
      () => false,
    );
    if (runs) return fine("the server runs and sees to it", why);
    const known = await rows();
    if (known === null) {
      if (existsSync(config.dbPath))
        return finding("note", `${config.dbPath} cannot be read by this user`, why, "Run `sudo hype doctor`");
      return fine("there never was a VM", why);
    }
    const ids = new Set(known.map(({ id }) => shortId(id)));
    const slots = new Set(known.map(({ ip_address }) => slotName(slotNumber(ip_address, config.subnet))));
    const found = [
      ...strayDirectories([config.runtimeDir, config.logDir], ids),
      ...strayCgroups(ids),
      ...(await straySlots(config, slots)),
    ];
    if (found.length === 0) return fine("nothing", why);
    const shown = found.slice(0, 5).join(", ");
    return finding(
      "warn",
      `${found.length} without a VM: ${shown}${found.length > 5 ? ", …" : ""}`,
      why,
      "Start the server: `systemctl start overhyped`, or `hype serve`",
    );
  },
};

const list = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

/** Directories are named by a VM's short id; others there are not ours. */
const strayDirectories = (parents: string[], ids: Set<string>): string[] =>
  parents.flatMap((parent) =>
    list(parent)
      .filter((name) => /^[0-9a-f]{12}$/.test(name) && !ids.has(name))
      .map((name) => join(parent, name)),
  );

/** `<mount>/overhyped/<state>/vm-<short id>`; those of another state are that state's own affair, and only empty of ours where all VMs are gone. */
function strayCgroups(ids: Set<string>): string[] {
  const mount = cgroupMount();
  if ("reason" in mount) return [];
  const all = join(mount.path, "overhyped");
  const states = list(all).filter((name) => /^[0-9a-f]{12}$/.test(name));
  if (states.length !== 1) return [];
  return list(join(all, states[0]!))
    .filter((name) => name.startsWith("vm-") && !ids.has(name.slice(3)))
    .map((name) => `cgroup ${basename(name)}`);
}

async function straySlots(config: Parameters<typeof slotLinks>[0], slots: Set<string>): Promise<string[]> {
  if (!isRoot() || !Bun.which("ip")) return [];
  const links = await slotLinks(config).catch(() => []);
  return links.filter(({ name }) => !slots.has(name)).map(({ name }) => `slot ${name}`);
}
