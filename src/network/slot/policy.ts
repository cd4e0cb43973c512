import { type EgressPolicy, parseEgressTarget } from "../../contract/index.ts";

/** What is no public unicast address (IANA's special-purpose registry, RFC 6890 and updates; 224/4 is multicast, 240/4 reserved). */
const NOT_PUBLIC = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4"],
];

/** DNS and DNS over TLS: in mode `internet` names are asked of our resolver only. */
const DNS_PORTS = "{ 53, 853 }";

type Verdict = "passed" | "refused";

/**
 * The policy as rules of nft(8) for the chain `judge`. It looks at the connection a packet belongs to, in both directions and for established
 * ones too, so that a stricter policy ends what it forbids. The sets are anonymous: they go with their rules.
 * @param never networks that no policy opens.
 */
export function policyRules({ mode, allow, deny }: EgressPolicy, never: readonly string[]): string[] {
  const isDns = "meta l4proto { tcp, udp } ct original ip daddr 10.127.0.1 ct status dnat";
  return [
    ...(mode === "none" ? [] : [`${isDns} goto passed`]),
    `ct original ip daddr { ${never.join(", ")} } goto refused`,
    ...targetRules(deny, "refused"),
    ...targetRules(allow, "passed"),
    ...(mode === "internet"
      ? [
          `meta l4proto { tcp, udp } ct direction original th dport ${DNS_PORTS} goto refused`,
          `meta l4proto { tcp, udp } ct direction reply th sport ${DNS_PORTS} goto refused`,
          `ct original ip daddr { ${NOT_PUBLIC.join(", ")} } goto refused`,
        ]
      : []),
    mode === "none" ? "goto refused" : "goto passed",
  ];
}

function targetRules(texts: readonly string[], verdict: Verdict): string[] {
  const targets = texts.map(parseEgressTarget).filter((target) => target !== null);
  const whole = targets.filter(({ ports }) => ports === null).map(({ address, prefix }) => `${address}/${prefix}`);
  // nft refuses overlapping pairs in one set: networks of one length never overlap, so each length has its own.
  const lengths = [...new Set(targets.filter(({ ports }) => ports !== null).map(({ prefix }) => prefix))];
  return [
    ...(whole.length > 0 ? [`ct original ip daddr { ${whole.join(", ")} } goto ${verdict}`] : []),
    ...lengths.flatMap((length) => {
      const ofLength = targets.filter(({ prefix, ports }) => ports !== null && prefix === length);
      const pairs = `{ ${networkPorts(ofLength).join(", ")} }`;
      return [
        `meta l4proto { tcp, udp } ct direction original ct original ip daddr . th dport ${pairs} goto ${verdict}`,
        `meta l4proto { tcp, udp } ct direction reply ct original ip daddr . th sport ${pairs} goto ${verdict}`,
      ];
    }),
  ];
}

/** Pairs of network and range of ports; ranges of one network that meet are merged. */
function networkPorts(targets: readonly NonNullable<ReturnType<typeof parseEgressTarget>>[]): string[] {
  const byNetwork = Map.groupBy(targets, ({ address, prefix }) => `${address}/${prefix}`);
  return [...byNetwork].flatMap(([network, members]) => {
    const merged: { first: number; last: number }[] = [];
    for (const { first, last } of members.map(({ ports }) => ports!).toSorted((a, b) => a.first - b.first)) {
      const before = merged.at(-1);
      if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
      else merged.push({ first, last });
    }
    return merged.map(({ first, last }) => `${network} . ${first}-${last}`);
  });
}
