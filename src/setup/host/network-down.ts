import type { Config } from "../../config/load.ts";
import { removeSlots } from "../../network/slot/build.ts";
import { removeHostNetwork } from "../../network/slot/host.ts";
import { remainsOf, slotLinks } from "../../network/slot/survey.ts";

/** Removes slots, bridge and firewall table of this installation, whoever made them: after a unit that was stopped nothing is left to do. */
export async function takeNetworkDown(config: Config): Promise<void> {
  if (!Bun.which("ip") || !Bun.which("nft")) return; // without them nothing of it can have been made
  const names = (await slotLinks(config)).map(({ name }) => name);
  if (names.length > 0) await removeSlots(names, () => remainsOf(names));
  await removeHostNetwork(config);
}
