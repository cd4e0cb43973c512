import { HypeError } from "../contract/index.ts";
import type { App } from "./app.ts";
import type { Tls } from "./tls.ts";

/** Addresses that mean "all": somebody on this machine reaches them by the loopback. */
const REACHED_BY: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Opens the port. @param tls null: plain HTTP. @returns the server's URL as it is called on this machine. @throws HypeError port_taken */
export function listen(app: App, { host, port }: { host: string; port: number }, tls: Tls | null): string {
  try {
    app.listen({ hostname: host, port, ...(tls && { tls }) });
  } catch (thrown) {
    const code = (thrown as { code?: string }).code;
    if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL" && code !== "EACCES") throw thrown;
    const why = {
      EADDRINUSE: "is taken",
      EADDRNOTAVAIL: "is not an address of this machine",
      EACCES: "is not allowed for this user",
    }[code];
    throw new HypeError("port_taken", `${host}:${port} ${why}`, { host, port }, { cause: thrown });
  }
  const name = REACHED_BY[host] ?? host;
  return `${tls ? "https" : "http"}://${name.includes(":") ? `[${name}]` : name}:${app.server?.port}`;
}

/** Takes no more connections, lets requests end for `graceMs`, then cuts what is left. Harmless twice. */
export async function stopListening(app: App, graceMs: number): Promise<void> {
  const { server } = app;
  if (!server) return;
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, graceMs);
  await Promise.race([server.stop(false), deadline.promise]);
  clearTimeout(timer);
  await server.stop(true);
}
