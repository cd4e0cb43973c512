import { createServer } from "node:net";

/** A loopback port that nobody uses now; somebody may take it before the caller does, so callers try again. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return (address as { port: number }).port;
}
