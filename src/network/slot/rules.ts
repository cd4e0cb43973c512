import type { Config } from "../../config/load.ts";
import { AGENT_PORT, type EgressPolicy } from "../../contract/index.ts";
import { INSIDE } from "../network.ts";
import { DNS_PORT, slotAddress } from "./identity.ts";
import { policyRules } from "./policy.ts";

type Settings = Pick<Config, "subnet" | "hostIp">;

/** Connections a guest may have open at once, so that it cannot fill the table of connections all guests share on the host. */
const CONNECTIONS = 4096;
/** Questions a guest may ask our resolver. */
const DNS_RATE = "100/second burst 200 packets";
/** Answers "refused" that a guest gets; beyond them silence. */
const REFUSAL_RATE = "100/second burst 200 packets";

/** Networks that no policy opens: this host's side and all VMs, the guest's own wire, and what is no unicast address of another machine. */
const never = ({ subnet }: Settings): string[] => [
  ...[subnet, "10.127.0.0/30", "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255"],
];

/**
 * All rules of a slot's namespace, for `nft -f` inside it. What a hostile guest sends is looked at twice: frames where they come in (netdev
 * ingress: only its own MAC and address, only IPv4 and truthful ARP), connections where they are forwarded. The namespace itself takes
 * nothing and sends nothing but refusals to its guest: a VMM broken out of its machine finds no way out here either.
 */
export function slotRules(slot: number, settings: Settings, policy: EgressPolicy): string {
  const { hostIp } = settings;
  const address = slotAddress(slot, settings.subnet);
  return `
table netdev overhyped {
  chain frames {
    type filter hook ingress device tap0 priority -500; policy drop;
    ether saddr ${INSIDE.mac} ether type ip ip saddr ${INSIDE.address} accept
    ether saddr ${INSIDE.mac} ether type arp arp operation { request, reply } arp saddr ether ${INSIDE.mac} arp saddr ip ${INSIDE.address} accept
  }
}
table inet overhyped {
  counter passed {}
  counter refused {}
  set refusals { type ipv4_addr . inet_proto . inet_service; size 512; flags dynamic,timeout; timeout 10m; }
  set other-refusals { type ipv4_addr . inet_proto; size 64; flags dynamic,timeout; timeout 10m; }
  chain passed {
    ct direction original counter name passed
    accept
  }
  chain refused {
    ct direction reply drop
    counter name refused
    meta l4proto { tcp, udp } update @refusals { ct original ip daddr . meta l4proto . th dport counter }
    meta l4proto != { tcp, udp } update @other-refusals { ct original ip daddr . meta l4proto counter }
    goto rejected
  }
  chain rejected {
    limit rate over ${REFUSAL_RATE} drop
    meta l4proto tcp reject with tcp reset
    reject with icmp type admin-prohibited
  }
${judge(policy, settings)}
  chain outward {
    ct direction reply ct original ip saddr ${hostIp} accept
    ct direction reply goto refused
    ct state new ct count over ${CONNECTIONS} goto refused
    ct status dnat limit rate over ${DNS_RATE} drop
    goto judge
  }
  chain inward {
    ct direction original ct original ip saddr ${hostIp} ct status dnat accept
    ct direction original drop
    ct state related meta l4proto icmp accept
    goto judge
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    meta nfproto != ipv4 drop
    ct state { invalid, untracked } drop
    iifname "tap0" oifname "out0" goto outward
    iifname "out0" oifname "tap0" goto inward
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "tap0" ct state new goto refused
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oifname "tap0" accept
  }
  chain translate-destination {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "tap0" ip daddr ${INSIDE.gateway} meta l4proto { tcp, udp } th dport 53 dnat ip to ${hostIp}:${DNS_PORT}
    iifname "out0" ip saddr ${hostIp} ip daddr ${address} tcp dport ${AGENT_PORT} dnat ip to ${INSIDE.address}
  }
  chain translate-source {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "out0" ip saddr ${INSIDE.address} snat ip to ${address}
    oifname "tap0" ip saddr ${hostIp} snat ip to ${INSIDE.gateway}
  }
}
`;
}

/** Puts another policy into force in one transaction. */
export const policyChange = (policy: EgressPolicy, settings: Settings): string =>
  `flush chain inet overhyped judge\ntable inet overhyped {\n${judge(policy, settings)}}\n`;

const judge = (policy: EgressPolicy, settings: Settings): string =>
  `  chain judge {\n${policyRules(policy, never(settings))
    .map((rule) => `    ${rule}\n`)
    .join("")}  }\n`;
