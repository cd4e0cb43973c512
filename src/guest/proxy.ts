import { AgentProxySet, type Proxy } from "../contract/index.ts";
import { ask, parseReply } from "./http.ts";

/** Chromium may be restarted for it, under software emulation on a busy host. */
const SET_MS = 130_000;
const MAX_BYTES = 64 * 1024;

/** Gives a guest's browser its proxy. @returns whether Chromium was restarted for it. */
export async function putProxy(
  endpoint: string,
  token: string,
  proxy: Proxy | null,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const request = {
    method: "PUT",
    path: "/v1/proxy",
    body: { proxy },
    timeoutMs: SET_MS,
    maxBytes: MAX_BYTES,
  } as const;
  return parseReply(AgentProxySet, await ask(endpoint, token, { ...request, signal })).browser_restarted;
}
