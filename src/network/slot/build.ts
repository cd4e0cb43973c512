import type { Config } from "../../config/load.ts";
import { type EgressPolicy, HypeError } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import { INSIDE } from "../network.ts";
import { hostMac, innerMac, installationGroup, NETNS_DIR, slotAddress, slotName } from "./identity.ts";
import { slotRules } from "./rules.ts";

type Settings = Pick<Config, "home" | "subnet" | "hostIp" | "bridge">;

const TIMEOUT_MS = 20_000;

/**
 * Kernel settings of a slot (ip-sysctl.rst). A new namespace takes over the host's IPv4 settings, so all that matter are said.
 * arp_ignore: answers on the bridge for its own address only. A kernel without IPv6 has no settings of it.
 */
const SYSCTLS = [
  ["ipv6/conf/all/disable_ipv6", 1],
  ["ipv6/conf/default/disable_ipv6", 1],
  ["ipv4/ip_forward", 1],
  ["ipv4/icmp_ratelimit", 0], // refusals have a limit of their own
  ["ipv4/conf/all/rp_filter", 1],
  ["ipv4/conf/all/arp_ignore", 1],
  ["ipv4/conf/all/accept_redirects", 0],
  ["ipv4/conf/default/accept_redirects", 0],
  ["ipv4/conf/all/send_redirects", 0],
  ["ipv4/conf/default/send_redirects", 0],
  ["ipv4/conf/all/accept_source_route", 0],
  ["ipv4/conf/all/route_localnet", 0],
  ["ipv4/conf/default/route_localnet", 0],
] as const;

/**
 * Builds a slot, ready for a VMM of user `uid`: one command, inside a namespace that has no name yet. Only the last step names it, so whatever
 * dies before leaves nothing: an unnamed namespace and both ends of its veth pair go with the last process in it. The host's end of the pair
 * carries our group from its first moment, and its name keeps anybody else from building the same slot.
 * @throws HypeError network_failed | tool_missing; nothing of it is left then, and what another program made stays.
 */
export async function buildSlot(
  slot: number,
  settings: Settings,
  options: { uid: number | null; policy: EgressPolicy },
): Promise<void> {
  const name = slotName(slot);
  const script = slotScript(slot, settings, options.uid ?? 0);
  const { code, stderr } = await run(["unshare", "--net", "sh", "-euc", script], {
    stdin: slotRules(slot, settings, options.policy),
    timeoutMs: TIMEOUT_MS,
  });
  if (code === 0) return;
  const taken = stderr.includes("File exists");
  throw new HypeError(
    "network_failed",
    taken
      ? `the interface or network namespace ${name} exists already and is not this installation's: remove it, or end the VM of another installation that holds it`
      : `the network slot ${name} could not be built: ${tail(stderr, 5)}`,
    { slot },
  );
}

/**
 * Runs as the first process of the new namespace, the rules on its standard input; `process.pid` leads back to the host's namespace.
 * The closing `true` keeps the shell from becoming its last command: `$$` has to stay in the new namespace until it has its name.
 */
function slotScript(slot: number, settings: Settings, uid: number): string {
  const name = slotName(slot);
  const group = installationGroup(settings);
  const prefix = settings.subnet.split("/")[1];
  return `
${SYSCTLS.map(([path, value]) => `[ ! -e /proc/sys/net/${path} ] || echo ${value} > /proc/sys/net/${path}`).join("\n")}
ip -batch - <<END
link add name out0 address ${innerMac(slot)} group ${group} type veth peer name ${name} address ${hostMac(slot)} group ${group} netns ${process.pid}
tuntap add dev tap0 mode tap user ${uid} group ${uid} vnet_hdr
link set dev tap0 group ${group} up
address add ${INSIDE.gateway}/${INSIDE.prefix} dev tap0
neigh replace ${INSIDE.address} lladdr ${INSIDE.mac} dev tap0 nud permanent
address add ${slotAddress(slot, settings.subnet)}/${prefix} dev out0
link set dev out0 up
route add default via ${settings.hostIp}
END
nft -f -
nsenter --net=/proc/${process.pid}/ns/net ip -batch - <<END
${plugCommands(name, settings).join("\n")}
netns attach ${name} $$
END
true
`;
}

/** Lines for `ip -batch` that put the host's end of a slot into the bridge, unable to talk to any other port of it (bridge(8), isolated). */
export const plugCommands = (name: string, { bridge, home }: Pick<Config, "bridge" | "home">): string[] => [
  `link set dev ${name} alias overhyped:${home.replaceAll(/[^\w./-]/g, "_").slice(0, 200)}`,
  `link set dev ${name} master ${bridge}`,
  `link set dev ${name} type bridge_slave isolated on`,
  `link set dev ${name} up`,
];

/** Removes slots, whatever is left of them; the caller knows that they are ours. @throws HypeError network_failed */
export const removeSlots = (names: readonly string[], remains: () => readonly string[]): Promise<void> =>
  removeAll(
    names.flatMap((name) => [`netns delete ${name}`, `link delete dev ${name}`]),
    remains,
  );

/** Removes the host's ends only. @throws HypeError network_failed */
export const removeLinks = (names: readonly string[], remains: () => readonly string[]): Promise<void> =>
  removeAll(
    names.map((name) => `link delete dev ${name}`),
    remains,
  );

/** What is gone already is no fault: what counts is that nothing remains. */
async function removeAll(lines: readonly string[], remains: () => readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const { stderr } = await run(["ip", "-force", "-batch", "-"], {
    stdin: `${lines.join("\n")}\n`,
    timeoutMs: TIMEOUT_MS,
  });
  const left = remains();
  if (left.length > 0)
    throw new HypeError("network_failed", `${left.join(", ")} could not be removed: ${tail(stderr, 5)}`, { left });
}

/** Runs nft inside a slot. @throws HypeError network_failed | tool_missing */
export async function nftInSlot(slot: number, argv: readonly string[], stdin: string): Promise<string> {
  const namespace = `--net=${NETNS_DIR}/${slotName(slot)}`;
  const { code, stdout, stderr } = await run(["nsenter", namespace, "nft", ...argv], { stdin, timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new HypeError("network_failed", `nft in ${slotName(slot)}: ${tail(stderr, 5)}`, { slot });
  return stdout;
}
