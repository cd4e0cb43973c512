/** Files over HTTP with nothing more to it. argv: `store DIRECTORY` takes PUT and gives GET, `relay URL` passes both on. Prints its port. */
import { join } from "node:path";

const [mode = "", where = ""] = process.argv.slice(2);
const path = (url: string) => join(where, new URL(url).pathname.slice(1));

async function store({ method, url, body }: Request): Promise<Response> {
  if (method === "GET") return new Response(Bun.file(path(url)));
  const hash = new Bun.CryptoHasher("sha256");
  const file = Bun.file(path(url)).writer();
  for await (const chunk of body ?? []) {
    hash.update(chunk);
    file.write(chunk);
    await file.flush();
  }
  await file.end();
  return Response.json({ sha256: hash.digest("hex") });
}

const relay = ({ method, url, body }: Request): Promise<Response> =>
  fetch(where + new URL(url).pathname, { method, body, decompress: false });

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  fetch: mode === "store" ? store : relay,
});
console.log(server.port);
