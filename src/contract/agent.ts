import * as v from "valibot";

/** TCP port of the agent's door inside the guest: the one open port of a VM. */
export const AGENT_PORT = 7070;

/** The agent prints this on the console when its door is open: the host waits for the line instead of polling. A hint only. */
export const AGENT_LISTENING_LINE = "hype-agent: listening";

/** SMBIOS type 11 (OEM strings) carries the guest's secret as this prefix + token; only the guest's root can read it. */
export const TOKEN_OEM_PREFIX = "overhyped.token=";

/** `GET /v1/health`. Everything here is the guest's word: data, never trusted. */
export const AgentHealth = v.object({
  status: v.picklist(["starting", "ready", "degraded"]),
  agent_version: v.string(),
  hostname: v.string(),
  uptime_ms: v.number(),
  chromium: v.object({
    ready: v.boolean(),
    version: v.nullable(v.string()),
    pid: v.nullable(v.number()),
    restarts: v.number(),
    last_exit: v.nullable(v.string()),
    sandboxed: v.pipe(v.nullable(v.boolean()), v.description("True when a renderer was seen under a seccomp filter")),
  }),
  memory: v.object({ total_mb: v.number(), available_mb: v.number() }),
});
export type AgentHealth = v.InferOutput<typeof AgentHealth>;

/** How the guest's Chromium is. */
export const BrowserEvent = v.variant("type", [
  v.object({ type: v.literal("browser_ready"), version: v.string(), restarts: v.number() }),
  v.object({ type: v.literal("browser_starting"), restarts: v.number() }),
  v.object({ type: v.literal("browser_died"), reason: v.string(), restarts: v.number() }),
]);
export type BrowserEvent = v.InferOutput<typeof BrowserEvent>;

/** The page that the tab in use shows, told whenever it changes. */
export const PageEvent = v.object({ type: v.literal("page"), url: v.string(), title: v.string(), tabs: v.number() });
export type PageEvent = v.InferOutput<typeof PageEvent>;

/** Lines of `GET /v1/events` (SSE, one JSON object per `data:`). The first is always the present state of the browser. */
export const AgentEvent = v.variant("type", [...BrowserEvent.options, PageEvent]);
export type AgentEvent = v.InferOutput<typeof AgentEvent>;

/** `POST /v1/identity`: replaces whatever a copy of this guest must not share with its twin. All fields optional. */
export const Identity = v.strictObject({
  token: v.optional(v.pipe(v.string(), v.minLength(32), v.maxLength(256))),
  hostname: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,63}$/))),
  epoch_ms: v.optional(v.pipe(v.number(), v.integer())),
  entropy: v.optional(v.pipe(v.string(), v.base64(), v.minLength(44), v.description("At least 32 bytes, base64"))),
});
export type Identity = v.InferOutput<typeof Identity>;

/** Error body of the agent: same codes as the server's. */
export const AgentProblem = v.object({ code: v.string(), message: v.string() });
