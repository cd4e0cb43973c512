import type { AgentEvent } from "../../src/contract/index.ts";
import { watchPage } from "../browser/page-watch.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Call } from "./http.ts";

/** A reader that hears nothing for longer may take the wire for lost. */
const HEARTBEAT_MS = 10_000;
/** A reader that does not read is cut when this much waits for it, bytes. */
const MAX_WAITING_BYTES = 256 * 1024;

/** `GET /v1/events`: the present state first, then each change, as server-sent events. */
export function streamEvents(browser: Browser, { response, signal }: Call): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const write = (chunk: string) => {
    response.write(chunk);
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
  };
  const tell = (event: AgentEvent) => write(`data: ${JSON.stringify(event)}\n\n`);
  tell(browser.state);
  const unsubscribe = browser.subscribe(tell);
  const unwatch = watchPage(browser, tell);
  const heartbeat = setInterval(() => write(": still here\n\n"), HEARTBEAT_MS);
  signal.addEventListener("abort", () => {
    unsubscribe();
    unwatch();
    clearInterval(heartbeat);
  });
}
