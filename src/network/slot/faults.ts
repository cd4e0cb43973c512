import { statSync } from "node:fs";
import type { Config } from "../../config/load.ts";
import { messageOf } from "../../contract/index.ts";
import { run } from "../../host/run.ts";
import { overlappingRoutes } from "./conflicts.ts";
import { findBridge } from "./host.ts";
import { hostTable, installationGroup, slotOf } from "./identity.ts";

const PROGRAMS = [
  { program: "ip", package: "iproute2" },
  { program: "nft", package: "nftables" },
  { program: "nsenter", package: "util-linux" },
  { program: "unshare", package: "util-linux" },
];

/**
 * Everything the slot network wants of this host and does not find, in the order to mend it; empty: it can be used.
 * @param usersOpenTaps whether VMMs run as users of their own.
 */
export async function slotNetworkFaults(config: Config, usersOpenTaps = config.jail !== "off"): Promise<string[]> {
  if (process.getuid?.() !== 0) return ["the server does not run as root"];
  const missing = PROGRAMS.filter(({ program }) => !Bun.which(program));
  if (missing.length > 0)
    return missing.map((tool) => `the program ${tool.program} is not installed (package ${tool.package})`);
  if (slotOf(config.bridge) !== null) return [`OVERHYPED_BRIDGE=${config.bridge} is the name of a slot`];
  try {
    return [...tunFault(usersOpenTaps), ...(await routeFaults(config)), ...(await sharedFaults(config))];
  } catch (thrown) {
    return [messageOf(thrown)];
  }
}

/** What is missing of the part that all slots share: the bridge, its address, our table. These can be mended while VMs run. */
export async function sharedFaults(config: Config): Promise<string[]> {
  const { bridge, hostIp } = config;
  const [link, table] = await Promise.all([findBridge(config), hasTable(config)]);
  const faults: string[] = [];
  if (!link) faults.push(`there is no bridge ${bridge}`);
  else if (link.linkinfo?.info_kind !== "bridge" || link.group !== String(installationGroup(config)))
    faults.push(`the interface ${bridge} was not made by the hype of ${config.home}`);
  else if (!link.addr_info?.some(({ local }) => local === hostIp)) faults.push(`${bridge} lacks the address ${hostIp}`);
  else if (!link.flags?.includes("UP")) faults.push(`${bridge} is down`);
  if (!table) faults.push(`there is no nftables table inet ${hostTable(config)}`);
  return faults;
}

const routeFaults = async (config: Config): Promise<string[]> =>
  (await overlappingRoutes(config)).map(
    (route) => `OVERHYPED_SUBNET=${config.subnet} overlaps the host's route ${route}`,
  );

function tunFault(usersOpenTaps: boolean): string[] {
  try {
    const mode = statSync("/dev/net/tun").mode & 0o777;
    if (!usersOpenTaps || (mode & 0o006) === 0o006) return [];
    return [
      `/dev/net/tun has mode ${mode.toString(8)}, so that VMMs, which run as users of their own, cannot open it: chmod 0666 /dev/net/tun`,
    ];
  } catch {
    return ["there is no /dev/net/tun: modprobe tun"];
  }
}

async function hasTable(config: Config): Promise<boolean> {
  const { code, stdout } = await run(["nft", "list", "tables", "inet"], { timeoutMs: 20_000 });
  return code === 0 && stdout.split("\n").includes(`table inet ${hostTable(config)}`);
}
