import { AGENT_PORT } from "../../contract/index.ts";
import { INSIDE } from "../network.ts";

/** Host side of the wire to the guest; passt would otherwise borrow a real interface's, which a host without network lacks. */
const GATEWAY_MAC = "02:68:79:70:65:02";

/**
 * passt's command line for one VM (passt(1), version of 2023-03 and later).
 * The guest gets the same address everywhere; nothing is derived from the host's own interfaces, so it also works offline.
 * @param port loopback port of the host that leads to the agent's door.
 */
export function passtArguments(options: {
  socket: string;
  pidFile: string;
  logFile: string;
  port: number;
  hasDns: boolean;
  /** User and group it is to become, where it is started as root. */
  user: number | null;
}): string[] {
  return [
    "--foreground",
    ...(options.user === null ? [] : ["--runas", `${options.user}:${options.user}`]),
    ...["--socket", options.socket, "--pid", options.pidFile, "--log-file", options.logFile, "--log-size", "1048576"],
    ...["--interface", "lo", "--mac-addr", GATEWAY_MAC],
    ...["--address", INSIDE.address, "--netmask", INSIDE.netmask, "--gateway", INSIDE.gateway],
    // The guest must not reach the host's loopback through the gateway's address.
    "--no-map-gw",
    ...(options.hasDns ? ["--dns-forward", INSIDE.dns] : []),
    // IPv6 stays off until it is policed; init configures the guest, so nobody answers DHCP.
    ...["--ipv4-only", "--no-dhcp", "--no-dhcpv6", "--no-ra", "--no-ndp"],
    ...["--tcp-ports", `127.0.0.1/${options.port}:${AGENT_PORT}`, "--udp-ports", "none"],
    // Ends with the VMM: nothing is left when QEMU is gone, whoever ended it.
    "--one-off",
  ];
}
