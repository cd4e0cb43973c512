import { closeSync, openSync } from "node:fs";
import { paths } from "../config/paths.ts";
import type { Config } from "../config/load.ts";
import { HypeError } from "../contract/errors.ts";
import { ensurePrivateDir } from "../host/files.ts";

/** A server listens within a second; a first one makes its state. */
const LISTENING_MS = 15_000;

/**
 * Starts `hype serve` as a program of its own, which outlives this one; its log goes where the service's goes.
 * @returns where it is, and how it is ended, for people
 * @throws HypeError server_unreachable when it ends before it listens, with its last words
 */
export async function serveInBackground(config: Config): Promise<{ server: string; told: string }> {
  ensurePrivateDir(config.logDir);
  const logFile = paths.serverLog(config);
  const log = openSync(logFile, "a", 0o600);
  try {
    const server = Bun.spawn([process.execPath, ...ownScript(), "serve"], {
      stdin: "ignore",
      stdout: log,
      stderr: log,
      detached: true,
    });
    const listening = async () => {
      const deadline = AbortSignal.timeout(LISTENING_MS);
      while (!deadline.aborted) {
        const answers = await fetch(`${config.apiBase}/healthz`, { signal: deadline }).then(
          ({ ok }) => ok,
          () => false,
        );
        if (answers) return true;
        await Bun.sleep(100);
      }
      return false;
    };
    const ended = server.exited.then((code) => {
      throw new HypeError("server_unreachable", `hype serve ended with ${code}: ${logFile} says why`);
    });
    if (!(await Promise.race([listening(), ended]))) {
      ended.catch(() => {});
      server.kill();
      throw new HypeError(
        "server_unreachable",
        `hype serve was started and ended again, for nothing answers at ${config.apiBase}; see ${logFile}`,
      );
    }
    ended.catch(() => {}); // whatever becomes of it later shows in the connection
    server.unref();
    return {
      server: config.apiBase,
      told: `hype serve runs in the background (pid ${server.pid}); end it with: kill ${server.pid}`,
    };
  } finally {
    closeSync(log);
  }
}

/** Compiled, the program is its own script. */
const ownScript = (): string[] => (Bun.isStandaloneExecutable ? [] : [Bun.main]);
