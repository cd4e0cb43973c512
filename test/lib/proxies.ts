import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { Reader } from "../../agent/proxy/reader.ts";

/** What passed a proxy: how it was asked, for what, and by whom. */
export type Passed = { how: "request" | "connect" | "socks5"; host: string; port: number; by: string };

export type FakeProxy = AsyncDisposable & {
  /** With user and password where it wants them. */
  url: string;
  port: number;
  /** Everything that was let through, in order. */
  passed: Passed[];
  /** Ends what is open. */
  cut(): void;
};

type Options = {
  /** `user:password`; without: everybody may. */
  credentials?: string;
  /** Where names that exist nowhere lead: the proxy's own name server, so to say. */
  leadsTo: number;
};

type Speak = (client: Socket, reader: Reader, options: Options, note: (passed: Passed) => void) => Promise<void>;

export const httpProxy = (options: Options) => serve("http", options, speakHttp);
export const socks5Proxy = (options: Options) => serve("socks5", options, speakSocks5);

async function serve(scheme: string, options: Options, speak: Speak): Promise<FakeProxy> {
  const passed: Passed[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => client.destroy()).on("close", () => sockets.delete(client));
    speak(client, new Reader(client), options, (one) => passed.push(one)).catch(() => client.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${scheme}://${options.credentials ? `${options.credentials}@` : ""}127.0.0.1:${port}`,
    port,
    passed,
    cut,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      cut();
      await closed;
    },
  };
}

const PATIENCE = AbortSignal.timeout(2 ** 31 - 1);

const speakHttp: Speak = async (client, reader, { credentials, leadsTo }, note) => {
  const head = (await reader.until("\r\n\r\n", 65_536, PATIENCE)).toString("latin1");
  const rest = reader.stop();
  const said = Buffer.from(/^proxy-authorization: Basic (\S+)/im.exec(head)?.[1] ?? "", "base64").toString();
  if (credentials && said !== credentials)
    return void client.end(
      'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="fake"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
  const [method = "", target = ""] = head.split(" ");
  const url = new URL(method === "CONNECT" ? `http://${target}` : target);
  const isTunnel = method === "CONNECT";
  note({ how: isTunnel ? "connect" : "request", host: url.hostname, port: Number(url.port) || 80, by: said });
  const origin = head.replace(target, url.pathname + url.search).replace(/^proxy-.*\r\n/gim, "");
  join(client, leadsTo, isTunnel ? rest : Buffer.concat([Buffer.from(origin, "latin1"), rest]), () => {
    if (isTunnel) client.write("HTTP/1.1 200 OK\r\n\r\n");
  });
};

const speakSocks5: Speak = async (client, reader, { credentials, leadsTo }, note) => {
  const [, count] = await reader.exactly(2, PATIENCE);
  const methods = [...(await reader.exactly(count!, PATIENCE))];
  const wanted = credentials ? 2 : 0;
  if (!methods.includes(wanted)) return void client.end(Buffer.from([5, 255]));
  client.write(Buffer.from([5, wanted]));
  let by = "";
  if (credentials) {
    const text = async () => (await reader.exactly((await reader.exactly(1, PATIENCE))[0]!, PATIENCE)).toString();
    await reader.exactly(1, PATIENCE);
    by = `${await text()}:${await text()}`;
    client.write(Buffer.from([1, by === credentials ? 0 : 1]));
    if (by !== credentials) return void client.end();
  }
  const [, , , kind] = await reader.exactly(4, PATIENCE);
  if (kind !== 3) return void client.end(Buffer.from([5, 8, 0, 1, 0, 0, 0, 0, 0, 0])); // names only: whoever looked one up is found out
  const host = (await reader.exactly((await reader.exactly(1, PATIENCE))[0]!, PATIENCE)).toString();
  const port = (await reader.exactly(2, PATIENCE)).readUInt16BE();
  note({ how: "socks5", host, port, by });
  join(client, leadsTo, reader.stop(), () => client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])));
};

function join(client: Socket, port: number, first: Buffer, onOpen: () => void): void {
  const socket = connect({ host: "127.0.0.1", port }, () => {
    onOpen();
    if (first.length > 0) socket.write(first);
    client.pipe(socket);
    socket.pipe(client);
  });
  socket.on("error", () => client.destroy()).on("close", () => client.end());
  client.on("close", () => socket.destroy());
}
