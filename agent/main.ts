import { AGENT_LISTENING_LINE, messageOf } from "../src/contract/index.ts";
import { VERSION } from "../src/contract/version.ts";
import { createLog } from "../src/log/log.ts";
import { Browser } from "./chromium/supervisor.ts";
import { rateLimited } from "./console.ts";
import { agentRoutes } from "./door/agent-routes.ts";
import { LIVE_PATH, liveSocket } from "./door/live-socket.ts";
import { downloadRoutes } from "./door/download-routes.ts";
import { browserRoutes } from "./door/browser-routes.ts";
import { cdpJsonRoutes } from "./door/cdp-json.ts";
import { cdpTunnel } from "./door/cdp-tunnel.ts";
import { DownloadClaims } from "./door/download-claims.ts";
import { observeRoutes } from "./door/observe-routes.ts";
import { overlayRoutes } from "./door/overlay-routes.ts";
import { profileRoutes } from "./door/profile-routes.ts";
import { namingProxy, proxyRoutes } from "./door/proxy-routes.ts";
import { recordingRoutes } from "./door/recording-routes.ts";
import { SHELL_PATH, shellSocket } from "./door/shell-socket.ts";
import { stateRoutes } from "./door/state-routes.ts";
import { uploadRoutes } from "./door/upload-routes.ts";
import { openDoor, type Upgrade } from "./door/door.ts";
import { Downloads } from "./downloads/downloads.ts";
import { HandedFiles } from "./live/handed-files.ts";
import { Screens } from "./live/screens.ts";
import { LogRing } from "./log-ring.ts";
import { guestMachine } from "./machine/guest-machine.ts";
import { recordDownloads } from "./observe/downloads.ts";
import { allowReservations, setOomScore } from "./machine/memory-policy.ts";
import { noMachine } from "./machine/no-machine.ts";
import { overlayParts } from "./overlay/parts.ts";
import { WholeProfile } from "./profile/whole-profile.ts";
import { BrowserProxy } from "./proxy/proxy.ts";
import { Recordings } from "./recording/recordings.ts";
import { parseSettings } from "./settings.ts";
import { State } from "./state/state.ts";
import { Token } from "./token.ts";
import { Uploads } from "./uploads/uploads.ts";

/** The agent: the one program of ours inside a VM. It keeps a Chromium running and opens one guarded door to it. */
const LOG_BYTES = 256 * 1024;
/** The agent's readiness to be ended when memory runs out; Chromium's own processes stand between 0 and 300. */
const PROTECTED = -500;

async function main(): Promise<void> {
  const settings = parseSettings(process.argv.slice(2));
  const token = Token.load(settings.tokenFile);
  const ring = new LogRing(LOG_BYTES);
  const toConsole = rateLimited((line) => process.stdout.write(line));
  const log = createLog({
    level: "info",
    room: "agent",
    write(line) {
      ring.push(line);
      toConsole(line);
    },
  });

  if (settings.machine === "guest") {
    setOomScore("self", PROTECTED);
    allowReservations();
  }
  // Before the door: the seconds until Chromium is ready are the seconds until the VM is.
  const browser = new Browser(settings, log);
  const downloads = new Downloads(browser, `${settings.userDataDir}-downloads`, settings.browserUid, log);
  const uploads = new Uploads(`${settings.userDataDir}-uploads`);
  const proxy = await BrowserProxy.open(browser, settings, log);
  const state = new State(browser, settings.userDataDir);
  const profile = new WholeProfile(browser, state, settings);
  profile.start();

  const machine = settings.machine === "guest" ? guestMachine : noMachine(() => void end());
  const overlay = overlayParts(browser, log);
  void recordDownloads(downloads, overlay.observer.journal, new AbortController().signal);
  const handed = new HandedFiles(`${settings.userDataDir}-handed`);
  const screens = new Screens(browser);
  const recordings = new Recordings(browser, screens, `${settings.userDataDir}-recordings`);
  const routes = {
    ...agentRoutes({ browser, token, machine, ring, log }),
    ...namingProxy(proxy, browserRoutes(browser, { uploads, downloads }, overlay.emulation, log)),
    ...proxyRoutes(proxy),
    ...stateRoutes(state),
    ...profileRoutes(profile),
    ...overlayRoutes(overlay),
    ...observeRoutes(browser, overlay),
    ...downloadRoutes(downloads),
    ...recordingRoutes(recordings),
    ...uploadRoutes(uploads, handed),
    ...cdpJsonRoutes(browser),
  };
  const claims = new DownloadClaims((context) => downloads.claim(context));
  downloads.isTaken = (context) => claims.isSet(context);
  const tunnel = cdpTunnel(browser, claims);
  const live = liveSocket({ browser, emulation: overlay.emulation, screens, handed, downloads });
  const shells = shellSocket();
  const sockets: Record<string, Upgrade> = { [LIVE_PATH]: live, [SHELL_PATH]: shells.upgrade };
  const upgrade: Upgrade = (request, ...rest) =>
    (sockets[request.url?.split("?")[0] ?? ""] ?? tunnel)(request, ...rest);
  const door = await openDoor(settings, token, routes, upgrade, log);
  process.stdout.write(`${AGENT_LISTENING_LINE} on ${door.port}\n`);

  async function end(): Promise<void> {
    shells.end();
    await recordings.end();
    await Promise.all([door.close(), browser.stop()]);
    process.exit(0);
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end());
}

if (process.argv[2] === "--version") {
  process.stdout.write(`hype-agent ${VERSION}\n`);
  process.exit(0);
}
try {
  await main();
} catch (thrown) {
  process.stderr.write(`hype-agent: ${messageOf(thrown)}\n`);
  process.exit(1); // init starts it again
}
