/**
 * Listens on the TCP and UDP ports of argv, on every address, and answers what it gets with its name (first argument). Writes a line for
 * everything it got. Who sends `later` over UDP is answered whenever a line comes on standard input.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const [, , name = "", ...ports] = process.argv;
/** From ip(8): Node's own list leaves out interfaces that came up a moment ago. */
const listed = JSON.parse(Bun.spawnSync(["ip", "-j", "address"]).stdout.toString()) as {
  addr_info: { local: string; family: string; scope: string }[];
}[];
const addresses = listed.flatMap(({ addr_info }) => addr_info).filter(({ scope }) => scope !== "link");
const waiting: (() => void)[] = [];
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
for (const port of ports.map(Number)) {
  const tcp = createServer((socket) => {
    tell({ protocol: "tcp", port, from: socket.remoteAddress });
    socket.on("data", (bytes) => socket.write(`${name} ${bytes}`));
    socket.on("error", () => {});
  });
  tcp.listen(port, "::");
  await once(tcp, "listening");
  // One socket for each address, so that answers come from the address that was asked.
  for (const { local, family } of addresses) {
    const udp = createSocket(family === "inet6" ? "udp6" : "udp4");
    udp.on("message", (bytes, from) => {
      tell({ protocol: "udp", port, from: from.address, text: bytes.toString("latin1") });
      if (String(bytes) === "later")
        waiting.push(() => udp.send(name, from.port, from.address, () => tell({ answered: port })));
      else udp.send(`${name} ${bytes}`, from.port, from.address, () => {});
    });
    udp.on("error", () => {});
    udp.bind(port, local);
    await once(udp, "listening");
  }
}
tell({ ready: name });
for await (const _ of console) for (const answer of waiting) answer();
