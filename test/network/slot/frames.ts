/** Frames as a hostile guest writes them, field by field. */

const macBytes = (mac: string) => Buffer.from(mac.replaceAll(":", ""), "hex");
const ipBytes = (ip: string) => Buffer.from(ip.split(".").map(Number));
/** Where a frame goes and comes from: the first twelve bytes of it. */
export const macs = (to: string, from: string) => Buffer.concat([macBytes(to), macBytes(from)]);

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** One datagram to port 9000, without a checksum of its own (RFC 768 allows it). */
export function udpFrame(options: {
  to: string;
  from: string;
  source: string;
  target: string;
  text: string;
  vlan?: number;
}): Buffer {
  const data = Buffer.from(options.text);
  const header = Buffer.from([
    0x45,
    0,
    0,
    28 + data.length,
    0,
    7,
    0,
    0,
    64,
    17,
    0,
    0,
    ...ipBytes(options.source),
    ...ipBytes(options.target),
  ]);
  header.writeUInt16BE(checksum(header), 10);
  const udp = Buffer.from([0x27, 0x10, 0x23, 0x28, 0, 8 + data.length, 0, 0]);
  const tag = options.vlan === undefined ? [] : [0x81, 0x00, 0, options.vlan];
  return Buffer.concat([macs(options.to, options.from), Buffer.from([...tag, 0x08, 0x00]), header, udp, data]);
}

/** An answer nobody asked for (RFC 826), to everybody. */
export function arpFrame({ from, sender, address }: { from: string; sender: string; address: string }): Buffer {
  const body = Buffer.from([
    0,
    1,
    8,
    0,
    6,
    4,
    0,
    2,
    ...macBytes(sender),
    ...ipBytes(address),
    0,
    0,
    0,
    0,
    0,
    0,
    ...ipBytes("10.127.0.1"),
  ]);
  return Buffer.concat([macs("ff:ff:ff:ff:ff:ff", from), Buffer.from([0x08, 0x06]), body]);
}
