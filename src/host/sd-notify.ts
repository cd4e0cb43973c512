import { HypeError } from "../contract/index.ts";
import { run, tail } from "./run.ts";

/**
 * Tells systemd that the service is ready (sd_notify(3)). Bun has no datagram sockets for Unix, so systemd's own program says it; for root
 * it speaks in its parent's name, which `NotifyAccess=main` wants. Only called where NOTIFY_SOCKET is set.
 * @throws HypeError tool_missing | internal: a service that stays silent would be ended at its start deadline
 */
export async function notifyReady(): Promise<void> {
  const { code, stderr } = await run(["systemd-notify", "--ready"], { timeoutMs: 10_000 });
  if (code !== 0)
    throw new HypeError("internal", `systemd could not be told that the server is ready: ${tail(stderr, 3)}`);
}
