/**
 * A name server that knows every name: A is 192.0.2.80; a name that begins with `long` has 1,500 bytes of TXT, cut off over UDP. argv: address, port,
 * mood. Moods: `forged` sends wrong answers before the right one, `mute` says nothing over UDP. Writes `ready <port>`, then a line per question: port and id it was
 * asked from and under, and the first label of its name.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

const [, , address = "127.0.0.1", port = "0", mood = ""] = process.argv;

export function answer(query: Buffer, overTcp: boolean): Buffer {
  let end = 12;
  while (query[end] !== 0) end += query[end]! + 1;
  const type = query.readUInt16BE(end + 1);
  const question = query.subarray(12, end + 5);
  const isLong = question.subarray(1, 5).toString("latin1").toLowerCase() === "long";
  const data =
    type === 16
      ? Array.from({ length: isLong ? 6 : 1 }, () => Buffer.concat([Buffer.from([250]), Buffer.alloc(250, 120)]))
      : [Buffer.from([192, 0, 2, 80])];
  const records = data.map((rdata) => {
    const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, 0]);
    head.writeUInt16BE(rdata.length, 10);
    return Buffer.concat([head, rdata]);
  });
  const isCut = isLong && !overTcp;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(isCut ? 0x8380 : 0x8180, 2);
  header.writeUInt16BE(isCut ? 0 : records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question, ...(isCut ? [] : records)]);
}

/** Both protocols on one port. Of a port that is free for one, the other may be taken: then another is tried. */
async function listenOnBoth(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const tcp = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (bytes: Buffer) => {
        console.log("tcp");
        const reply = answer(bytes.subarray(2), true);
        socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
      });
    });
    tcp.listen(Number(port), address);
    await once(tcp, "listening");
    const chosen = (tcp.address() as AddressInfo).port;
    const udp = createSocket("udp4");
    udp.on("message", (query, from) => tell(udp, query, from));
    udp.bind(chosen, address);
    try {
      await once(udp, "listening");
      return chosen;
    } catch (thrown) {
      tcp.close();
      if (port !== "0" || tries >= 20) throw thrown;
    }
  }
}

function tell(udp: Socket, query: Buffer, from: RemoteInfo): void {
  console.log(`udp ${from.port} ${query.readUInt16BE(0)} ${query.toString("latin1", 13, 13 + query[12]!)}`);
  if (mood === "mute") return;
  const reply = answer(query, false);
  const wrongId = Buffer.from(reply);
  wrongId.writeUInt16BE((query.readUInt16BE(0) + 1) & 0xffff, 0);
  const wrongName = Buffer.from(reply);
  wrongName[13] = 0x7a;
  const all = mood === "forged" ? [wrongId, wrongName, query, Buffer.from("x"), reply] : [reply];
  for (const bytes of all) udp.send(bytes, from.port, from.address);
}

if (import.meta.main) {
  const chosen = await listenOnBoth();
  console.log(mood === "" && port !== "0" ? "ready" : `ready ${chosen}`);
}
