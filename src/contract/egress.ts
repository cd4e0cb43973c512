import * as v from "valibot";

/** IPv4 address or network, with a port or range of ports if wanted: 10.0.0.0/8, 192.0.2.7:443, 192.0.2.0/24:8000-8100. */
const TARGET = /^((?:\d{1,3}\.){3}\d{1,3})(?:\/(\d{1,2}))?(?::(\d{1,5})(?:-(\d{1,5}))?)?$/;

/** A network of a policy, taken apart. `ports` null: all of them, and protocols without ports. */
export type EgressTarget = { address: string; prefix: number; ports: { first: number; last: number } | null };

/** @returns null when the text is no target. A network must be given by its first address. */
export function parseEgressTarget(text: string): EgressTarget | null {
  const match = TARGET.exec(text);
  if (!match) return null;
  const [, address = "", bits = "32", first, last = first] = match;
  const octets = address.split(".").map(Number);
  const prefix = Number(bits);
  const ports = first === undefined ? null : { first: Number(first), last: Number(last) };
  if (octets.some((octet) => octet > 255) || prefix > 32) return null;
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (value % 2 ** (32 - prefix) !== 0) return null;
  if (ports && (ports.first < 1 || ports.last > 65_535 || ports.first > ports.last)) return null;
  return { address, prefix, ports };
}

/** Most entries of one list of a policy. */
export const EGRESS_ENTRIES = 10_000;

const Targets = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.check(
        (text) => parseEgressTarget(text) !== null,
        (issue) =>
          `${JSON.stringify(String(issue.input).slice(0, 64))} is not an IPv4 network[:port], e.g. 203.0.113.0/24 or 203.0.113.7:443`,
      ),
    ),
  ),
  v.maxLength(EGRESS_ENTRIES, `must hold at most ${EGRESS_ENTRIES} entries`),
);

export const EgressMode = v.pipe(
  v.picklist(["internet", "none", "open"]),
  v.description(
    "internet: public addresses only; none: nothing; open: everything but the host itself and other VMs, which no policy opens",
  ),
);
export type EgressMode = v.InferOutput<typeof EgressMode>;

/** What a VM's guest may reach. Looked up in this order: `deny`, `allow`, `mode`. */
export const EgressPolicy = v.strictObject({
  mode: v.optional(EgressMode, "internet"),
  allow: v.optional(v.pipe(Targets, v.description("Reachable whatever `mode` says, e.g. one server of the LAN")), []),
  deny: v.optional(v.pipe(Targets, v.description("Never reachable; wins over `allow`")), []),
});
export type EgressPolicy = v.InferOutput<typeof EgressPolicy>;
export type EgressPolicyInput = v.InferInput<typeof EgressPolicy>;

/** One refused destination, counted since it was first seen. */
export const EgressRefusal = v.object({
  protocol: v.pipe(v.string(), v.description("tcp, udp, icmp or the number of another IP protocol")),
  address: v.string(),
  port: v.nullable(v.number()),
  packets: v.number(),
});
export type EgressRefusal = v.InferOutput<typeof EgressRefusal>;

/** `GET /api/v1/vms/:name/egress` */
export const Egress = v.object({
  policy: EgressPolicy,
  enforced: v.pipe(
    v.boolean(),
    v.description("false: this VM's network cannot police (user network), or it is not started"),
  ),
  allowed: v.pipe(v.object({ packets: v.number(), bytes: v.number() }), v.description("Since the last start")),
  refused: v.object({ packets: v.number(), bytes: v.number() }),
  refusals: v.pipe(v.array(EgressRefusal), v.description("Destinations refused lately; bounded")),
});
export type Egress = v.InferOutput<typeof Egress>;
