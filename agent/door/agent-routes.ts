import { type AgentHealth, HypeError, Identity } from "../../src/contract/index.ts";
import { VERSION } from "../../src/contract/version.ts";
import type { Log } from "../../src/log/log.ts";
import { rendererSandboxed } from "../chromium/sandbox.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { LogRing } from "../log-ring.ts";
import type { Machine } from "../machine/machine.ts";
import { memoryMb } from "../machine/memory.ts";
import type { Token } from "../token.ts";
import { streamEvents } from "./events.ts";
import { type Call, json, text } from "./http.ts";
import type { Routes } from "./door.ts";

/** Longest long poll, ms. */
const MAX_POLL_MS = 120_000;

/** The reply is on its way through the guest's network card for a moment after the kernel took it. */
const LEAVE_MS = 100;

export type AgentParts = { browser: Browser; token: Token; machine: Machine; ring: LogRing; log: Log };

/** `/v1/*` besides the browser: how the agent is, who it is, and its end. */
export const agentRoutes = ({ browser, token, machine, ring, log }: AgentParts): Routes => ({
  "GET /v1/health": () => json(health(browser, machine)),
  "GET /v1/ready": async ({ url, signal }) => {
    const timeoutMs = Math.min(wholeNumber(url, "timeout_ms", 30_000), MAX_POLL_MS);
    if (await browser.ready(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])))
      return json(health(browser, machine));
    throw new HypeError("operation_timeout", `Chromium was not ready within ${timeoutMs} ms`);
  },
  "GET /v1/events": (call) => streamEvents(browser, call),
  "GET /v1/logs": ({ url }) => {
    const source = url.searchParams.get("source") ?? "agent";
    if (source !== "agent" && source !== "chromium")
      throw new HypeError("invalid_request", "source must be agent or chromium");
    return text((source === "agent" ? ring : browser.log).text(wholeNumber(url, "lines", Number.MAX_SAFE_INTEGER)));
  },
  "POST /v1/identity": async (call: Call) => {
    const identity = await call.body(Identity);
    if (identity.entropy) machine.addEntropy(Buffer.from(identity.entropy, "base64"));
    if (identity.epoch_ms !== undefined) machine.setClock(identity.epoch_ms);
    if (identity.hostname) machine.setHostname(identity.hostname);
    if (identity.token) token.replace(identity.token);
    log.info("identity replaced", { fields: Object.keys(identity).join(" ") });
    return json({ hostname: machine.hostname() });
  },
  "POST /v1/power-off": ({ response }) => {
    log.info("powering off");
    response.on("finish", () => setTimeout(() => machine.powerOff(), LEAVE_MS));
    return json({}, 202);
  },
});

function health(browser: Browser, machine: Machine): AgentHealth {
  const running = browser.runningOrNull;
  if (running) running.sandboxed ??= rendererSandboxed(running.chromium.pid);
  return {
    status: running ? "ready" : browser.restarts > 0 ? "degraded" : "starting",
    agent_version: VERSION,
    hostname: machine.hostname(),
    uptime_ms: Math.round(performance.now()),
    chromium: {
      ready: running !== null,
      version: running?.version ?? null,
      pid: running?.chromium.pid ?? null,
      restarts: browser.restarts,
      last_exit: browser.lastExit,
      sandboxed: running && running.sandboxed,
    },
    memory: memoryMb(),
  };
}

function wholeNumber(url: URL, name: string, otherwise: number): number {
  const given = url.searchParams.get(name);
  if (given === null) return otherwise;
  if (!/^\d{1,9}$/.test(given)) throw new HypeError("invalid_request", `${name} must be a whole number`);
  return Number(given);
}
