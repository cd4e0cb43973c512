import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Artifacts } from "../../src/artifacts/artifacts.ts";
import { type Config, loadConfig } from "../../src/config/load.ts";
import { HypeError, type SystemStatus } from "../../src/contract/index.ts";
import { createLog } from "../../src/log/log.ts";
import { type App, createApp } from "../../src/server/app.ts";
import { AuditTrail } from "../../src/server/auth/audit.ts";
import { CdpTokens } from "../../src/server/auth/cdp-token.ts";
import { Keys } from "../../src/server/auth/keys.ts";
import type { ServerContext } from "../../src/server/context.ts";
import { Live } from "../../src/server/live/live.ts";
import { createMetrics } from "../../src/server/metrics.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { openStore } from "../../src/store/open.ts";
import type { Tls } from "../../src/server/tls.ts";
import type { Store } from "../../src/store/store.ts";
import { FakeEngine } from "./fake-engine.ts";

export const KEY = `hype_${"k".repeat(43)}`;

export const STATUS: SystemStatus = {
  version: "0.1.0",
  started_at: "2026-01-01T00:00:00.000Z",
  hypervisor: { name: "qemu", version: "7.2", accelerator: "tcg", reason: "test" },
  network: { mode: "user", subnet: "192.168.127.0/24", leases_used: 0, leases_total: 252 },
  host: {
    cpu_cores: 2,
    load_average_1m: 0,
    memory_total_mb: 1,
    memory_available_mb: 1,
    memory_committed_mb: 0,
    disk_free_mb: 1,
  },
  vms: { total: 0, by_status: {} },
  last_event_seq: 0,
  default_image: null,
};

const IMAGE = {
  id: "0123456789abcdef",
  format: "layered" as const,
  is_default: true,
  kernel_version: "6.1",
  chromium_version: "150",
  agent_version: "0.1.0",
  bytes: 1,
  created_at: "2026-01-01T00:00:00.000Z",
};

export type TestServer = AsyncDisposable & {
  app: App;
  url: string;
  engine: FakeEngine;
  /** Mints for the admin key. */
  tokens: { mint(vmId: string, ttlSeconds: number): { token: string; expiresAt: number } };
  store: Store;
  artifacts: Artifacts;
  keys: Keys;
  lines: string[];
  home: string;
  shutDown: AbortController;
  call(path: string, init?: RequestInit): Promise<Response>;
};

/** The real app on a real port of the loopback, over an engine of rows. */
export function startTestServer(
  options: {
    config?: Partial<Config>;
    context?: Partial<ServerContext>;
    port?: number;
    tls?: Tls;
    graceMs?: number;
  } = {},
): TestServer {
  const home = mkdtempSync(join(tmpdir(), "hype-server-"));
  const config = { ...loadConfig({ HOME: home }), home, logLevel: "debug" as const, ...options.config };
  const engine = new FakeEngine();
  engine.logDir = join(home, "logs");
  const lines: string[] = [];
  const shutDown = new AbortController();
  const log = createLog({ level: "debug", write: (line) => lines.push(line) });
  const cdpTokens = new CdpTokens(Buffer.alloc(32, 7));
  const store = openStore(join(home, "state.db"));
  const keys = new Keys({ builtIn: { admin: KEY }, store, log });
  const audit = new AuditTrail({ store, log });
  const live = new Live({
    store,
    keys,
    signingKey: Buffer.alloc(32, 7),
    engine,
    log,
    graceMs: options.graceMs ?? 10_000,
  });
  const artifacts = new Artifacts({
    directory: join(home, "artifacts"),
    store,
    log,
    quotaMb: 64,
    retentionDays: 0,
    onEvent: (event) => engine.append(event),
  });
  const app = createApp({
    engine,
    images: {
      list: () => [IMAGE],
      get: (id) => {
        if (id !== IMAGE.id) throw new HypeError("image_not_found", `there is no image ${id}`);
        const { is_default: _is, bytes: _bytes, ...manifest } = IMAGE;
        return {
          ...IMAGE,
          manifest: { schema: 1, source: "mmdebstrap", architecture: "x86_64", packages: {}, files: [], ...manifest },
        };
      },
    },
    config,
    log,
    keys,
    audit,
    cdpTokens,
    artifacts,
    profiles: new Profiles({ config: { ...config, home }, store, log }),
    live,
    metrics: createMetrics(engine, artifacts),
    status: () => ({ ...STATUS, last_event_seq: engine.lastEventSeq() }),
    closing: shutDown.signal,
    ...options.context,
  });
  app.listen({ hostname: "127.0.0.1", port: options.port ?? 0, ...(options.tls && { tls: options.tls }) });
  const url = `${options.tls ? "https" : "http"}://127.0.0.1:${app.server?.port}`;
  return {
    app,
    url,
    engine,
    tokens: { mint: (vmId, ttlSeconds) => cdpTokens.mint(vmId, ttlSeconds, keys.find("admin")!) },
    store,
    artifacts,
    keys,
    lines,
    home,
    shutDown,
    call: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${KEY}`);
      if (typeof init.body === "string" && !headers.has("content-type"))
        headers.set("content-type", "application/json");
      return fetch(`${url}${path}`, { ...init, headers });
    },
    async [Symbol.asyncDispose]() {
      shutDown.abort();
      await app.server?.stop(true);
      live[Symbol.dispose]();
      artifacts[Symbol.dispose]();
      audit[Symbol.dispose]();
      keys[Symbol.dispose]();
      store.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
