import type { Artifacts } from "../artifacts/artifacts.ts";
import type { Config } from "../config/load.ts";
import type { Image, SystemStatus } from "../contract/index.ts";
import type { EngineApi } from "../engine/types.ts";
import type { ImageDetail } from "../image/images.ts";
import type { Log } from "../log/log.ts";
import type { Profiles } from "../profiles/profiles.ts";
import type { AuditTrail } from "./auth/audit.ts";
import type { CdpTokens } from "./auth/cdp-token.ts";
import type { Keys } from "./auth/keys.ts";
import type { Live } from "./live/live.ts";
import type { Metrics } from "./metrics.ts";

/** What the server asks of the image room. */
export type ImageCatalog = {
  list(): Image[];
  /** @throws HypeError image_not_found | image_invalid */
  get(ref: string): ImageDetail;
};

/** Everything the routes stand on. Built by start.ts, or by a test. */
export type ServerContext = {
  engine: EngineApi;
  images: ImageCatalog;
  config: Config;
  log: Log;
  keys: Keys;
  audit: AuditTrail;
  cdpTokens: CdpTokens;
  artifacts: Artifacts;
  profiles: Profiles;
  live: Live;
  metrics: Metrics;
  status(): SystemStatus;
  /** Aborts when the server shuts down: streams and sockets end with it, new work is refused. */
  closing: AbortSignal;
  /** Between two heartbeats of an event stream, milliseconds; default 15 s. */
  heartbeatMs?: number;
  /** What may wait for a CDP peer that does not read, bytes; default 320 MB. */
  cdpBufferBytes?: number;
  /** Address of the peer of a connection; default: what the listening server says. Tests name their own. */
  peerOf?: (request: Request) => string | null;
};
