import ipaddr from "ipaddr.js";

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** One address, `::ffff:1.2.3.4` taken as 1.2.3.4; null for anything that is not an address. */
function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const bare = text.replace(/%.*$/, ""); // fe80::1%eth0: the zone says nothing about who calls
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
}

/** A mapped network (::ffff:10.0.0.0/104) covers the IPv4 addresses it maps, as addresses are unmapped before the comparison. */
function parseNetwork(cidr: string): Network {
  const [address, bits] = ipaddr.parseCIDR(cidr);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96
    ? [address.toIPv4Address(), bits - 96]
    : [address, bits];
}

/**
 * A test for "does this address lie in one of the networks". Fails closed: text that is no address lies in none.
 * @param cidrs valid networks, IPv4 or IPv6.
 */
export function addressMatcher(cidrs: readonly string[]): (address: string) => boolean {
  const networks = cidrs.map(parseNetwork);
  return (text) => {
    const address = parse(text);
    return (
      address !== null &&
      networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))
    );
  };
}

/**
 * Who calls: the peer of the connection, or, where that is a trusted proxy, the right-most address of X-Forwarded-For that is not one
 * (everything left of it was written by the caller). A header that is not a list of addresses names nobody: null.
 */
export function callerAddress(
  peer: string | null,
  forwardedFor: string | null,
  isTrustedProxy: (address: string) => boolean,
): string | null {
  const address = peer === null ? null : parse(peer);
  if (!address) return null;
  if (forwardedFor === null || !isTrustedProxy(address.toString())) return address.toString();
  let nearest = address.toString();
  for (const hop of forwardedFor.split(",").reverse()) {
    const parsed = parse(hop.trim());
    if (!parsed) return null;
    nearest = parsed.toString();
    if (!isTrustedProxy(nearest)) return nearest;
  }
  return nearest;
}

/** What failed keys are counted by: an IPv4 address, or the /64 an IPv6 subscriber gets as a whole. */
export function rateLimitBucket(address: string): string {
  const parsed = parse(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(":") : address;
}
