import { chownSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HypeError, messageOf } from "../../src/contract/index.ts";
import type { Settings } from "../settings.ts";
import { setOomScore } from "../machine/memory-policy.ts";
import { chromiumFlags } from "./flags.ts";

/** Chromium prints `DevTools listening on ws://…` on standard error when its door is open (content/browser/devtools). */
const LISTENING = /^DevTools listening on (ws:\/\/127\.0\.0\.1:\d+\/devtools\/browser\/\S+)/m;
/** Generous: under software emulation on a busy host Chromium takes many seconds. */
const LAUNCH_TIMEOUT_MS = 120_000;

export type Chromium = {
  readonly pid: number;
  /** WebSocket URL of the browser's DevTools, on loopback. */
  readonly devtools: URL;
  /** Settles when the browser process is gone, with the reason in words. */
  readonly exited: Promise<string>;
  /** Ends the whole process group at once. */
  kill(): void;
};

export type LaunchSettings = Pick<Settings, "chromium" | "browserUid" | "sandbox" | "userDataDir"> & {
  /** Port of the proxy on this machine that Chromium goes through; null or not given: none. */
  proxyPort?: number | null;
};

/**
 * Starts Chromium as its own unprivileged user and waits until DevTools listen. It dies with this process (setpriv --pdeathsig).
 * @param onLine gets each line of Chromium's standard error.
 * @throws HypeError `browser_unavailable` when it dies first or the signal aborts.
 */
export async function launchChromium(
  settings: LaunchSettings,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<Chromium> {
  prepareProfile(settings);
  const child = spawn(settings);
  setOomScore(child.pid, 0); // it would inherit the agent's
  const kill = () => killGroup(child.pid);
  const exited = child.exited.then(() => {
    kill(); // renderers and helpers the browser process may have left
    return child.signalCode ? `killed by ${child.signalCode}` : `exit code ${child.exitCode}`;
  });
  const listening = Promise.withResolvers<URL>();
  const lines = readLines(child.stderr, (line) => {
    onLine(line);
    const match = LISTENING.exec(line);
    if (match) listening.resolve(new URL(match[1]!));
  });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(LAUNCH_TIMEOUT_MS)]);
  const onAbort = () =>
    listening.reject(new HypeError("browser_unavailable", "Chromium did not open its DevTools in time"));
  deadline.addEventListener("abort", onAbort, { once: true });
  void Promise.all([exited, lines]).then(([reason]) =>
    listening.reject(new HypeError("browser_unavailable", `Chromium died while starting: ${reason}`)),
  );
  try {
    if (deadline.aborted) onAbort();
    return { pid: child.pid, devtools: await listening.promise, exited, kill };
  } catch (thrown) {
    kill();
    await exited;
    throw thrown;
  } finally {
    deadline.removeEventListener("abort", onAbort);
  }
}

function spawn({ chromium, browserUid, userDataDir, proxyPort = null, ...rest }: LaunchSettings) {
  const identity =
    browserUid === null ? [] : [`--reuid=${browserUid}`, `--regid=${browserUid}`, "--clear-groups", "--no-new-privs"];
  try {
    return Bun.spawn(
      ["setpriv", "--pdeathsig", "KILL", ...identity, chromium, ...chromiumFlags({ userDataDir, ...rest }, proxyPort)],
      {
        cwd: userDataDir,
        // Nothing of the agent's own environment; no session bus, and Chromium must not look for one.
        env: {
          HOME: userDataDir,
          PATH: "/usr/local/bin:/usr/bin:/bin",
          LANG: "C.UTF-8",
          DBUS_SESSION_BUS_ADDRESS: "unix:path=/dev/null",
        },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
        detached: true,
      },
    );
  } catch (thrown) {
    throw new HypeError("browser_unavailable", `cannot start ${chromium}: ${messageOf(thrown)}`, {}, { cause: thrown });
  }
}

/** The profile survives a crash of Chromium, its lock files must not: they name the host, which may have been renamed. */
function prepareProfile({ userDataDir, browserUid }: LaunchSettings): void {
  mkdirSync(userDataDir, { recursive: true, mode: 0o700 });
  if (browserUid !== null) chownSync(userDataDir, browserUid, browserUid);
  for (const name of readdirSync(userDataDir))
    if (name.startsWith("Singleton")) rmSync(join(userDataDir, name), { force: true });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // the group is gone
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!.slice(-65_536);
    for (const line of lines) if (line) onLine(line);
  }
  if (rest) onLine(rest);
}
