import { Artifacts } from "../artifacts/artifacts.ts";
import type { Config } from "../config/load.ts";
import { paths } from "../config/paths.ts";
import { HypeError, messageOf } from "../contract/index.ts";
import { Engine } from "../engine/engine.ts";
import { lockExclusively } from "../host/exclusive-lock.ts";
import { ensurePrivateDir } from "../host/files.ts";
import { Images } from "../image/images.ts";
import type { Log } from "../log/log.ts";
import { openJailer } from "../hypervisor/jail/open.ts";
import { slotNumber } from "../network/network.ts";
import { openNetwork } from "../network/open.ts";
import { Profiles } from "../profiles/profiles.ts";
import { openStore } from "../store/open.ts";
import { createApp } from "./app.ts";
import { DOWNLOADS, RECORDINGS } from "./artifacts/files.ts";
import { Keeper } from "./artifacts/keeper.ts";
import { AuditTrail } from "./auth/audit.ts";
import { CdpTokens } from "./auth/cdp-token.ts";
import { builtInKeys, loadSigningKey } from "./auth/key-files.ts";
import { Keys } from "./auth/keys.ts";
import { HypervisorChoice } from "./hypervisor-choice.ts";
import { Live } from "./live/live.ts";
import { listen, stopListening } from "./listen.ts";
import { createMetrics } from "./metrics.ts";
import { systemStatus } from "./system-status.ts";
import { loadTls } from "./tls.ts";

/** How long requests under way may go on when the server is told to end, milliseconds. */
const GRACE_MS = 5_000;

export type RunningServer = AsyncDisposable & {
  /** As it is called on this machine. */
  readonly url: string;
  /** Ends streams and sockets with a reason, lets requests end, lets go of the VMs (they run on). Harmless twice. */
  close(graceMs?: number): Promise<void>;
};

/**
 * Builds all rooms of one state, takes up the VMs an earlier server left, and listens. What was built before a failure is taken down again.
 * @throws HypeError state_locked | state_unwritable | state_damaged | state_too_new | port_taken | config_invalid
 */
export async function startServer({ config, log }: { config: Config; log: Log }): Promise<RunningServer> {
  const startedAt = new Date().toISOString();
  await using undo = new AsyncDisposableStack();
  for (const directory of [config.home, config.runtimeDir, config.logDir, config.imageDir]) ensurePrivateDir(directory);
  undo.use(lockExclusively(paths.serverLock(config)));
  const builtIn = builtInKeys(config, log.room("server"));
  const signingKey = loadSigningKey(config, log.room("server"));
  const cdpTokens = new CdpTokens(signingKey);
  const tls = config.tls && loadTls(config.tls, log.room("server"));

  const closing = new AbortController();
  const images = new Images(config, log.room("image"));
  const jailer = await openJailer(config, log.room("hypervisor"));
  const store = undo.use(openStore(config.dbPath));
  const network = undo.use(
    await openNetwork(config, log.room("network"), {
      uidOf: (slot) => jailer.uidOf(slot),
      leased: () => store.vms.all().map((vm) => slotNumber(vm.ip_address, config.subnet)),
    }),
  );
  const hypervisor = new HypervisorChoice({
    config,
    log: log.room("hypervisor"),
    images,
    networkMode: network.mode,
    signal: closing.signal,
  });
  const keys = undo.use(new Keys({ builtIn, store, log: log.room("server") }));
  const audit = undo.use(new AuditTrail({ store, log: log.room("server") }));
  const profiles = new Profiles({ config, store, log: log.room("profiles") });
  await profiles.tidy();
  const artifacts = undo.use(
    new Artifacts({
      directory: paths.artifacts(config),
      store,
      log: log.room("artifacts"),
      quotaMb: config.artifactQuotaMb,
      retentionDays: config.artifactRetentionDays,
      onEvent: () => engine.eventsAppended(),
    }),
  );
  const engine = new Engine({
    config,
    log: log.room("engine"),
    store,
    driver: () => hypervisor.open(),
    network,
    jailer,
    images,
    profiles,
  });
  undo.defer(() => engine.shutdown());
  const live = undo.use(new Live({ store, keys, signingKey, engine, log: log.room("server") }));
  await engine.reconcile();
  for (const files of [DOWNLOADS, RECORDINGS])
    undo.use(new Keeper(files, { engine, artifacts, closing: closing.signal, store, log: log.room("artifacts") }));
  const compared = artifacts
    .compare()
    .catch((thrown) => log.warn(`artifacts were not looked at: ${messageOf(thrown)}`));

  const app = createApp({
    engine,
    images,
    config,
    log: log.room("server"),
    keys,
    audit,
    cdpTokens,
    artifacts,
    profiles,
    live,
    metrics: createMetrics(engine, artifacts),
    status: () => systemStatus({ config, engine, network, images, hypervisor, startedAt }),
    closing: closing.signal,
  });
  const url = listen(app, config.listen, tls);
  log.info("listening", { url, home: config.home });
  const choice = hypervisor.open().catch((thrown) => {
    if (!closing.signal.aborted) log.warn(`no VM can be started: ${messageOf(thrown)}`);
  });

  const rooms = undo.move();
  let closed: Promise<void> | null = null;
  const close = async (graceMs: number) => {
    closing.abort(new HypeError("shutting_down", "the server is shutting down"));
    const stopped = stopListening(app, graceMs);
    await engine.shutdown(); // answers those who wait for a VM
    await stopped;
    await choice;
    await compared;
    await rooms.disposeAsync();
    log.info("stopped; VMs keep running");
  };
  const closeOnce = (graceMs = GRACE_MS) => (closed ??= close(graceMs));
  return { url, close: closeOnce, [Symbol.asyncDispose]: () => closeOnce() };
}
