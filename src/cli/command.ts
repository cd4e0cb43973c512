import { join } from "node:path";
import type { Writable } from "node:stream";
import { Command } from "clipanion";
import type { Client, ConnectOptions } from "../client/types.ts";
import type { Config } from "../config/load.ts";
import { HypeError, messageOf } from "../contract/errors.ts";
import type { CliContext } from "./context.ts";
import { flag, text } from "./option.ts";
import { safeJson, sanitizeText } from "../text/sanitize.ts";
import { createProgress, type Progress, silentProgress } from "./output/progress.ts";

export const CATEGORY = {
  vms: "Virtual machines",
  browser: "Browser",
  artifacts: "Artifacts",
  image: "Images",
  access: "Access",
  host: "This machine",
} as const;

/** What every command shares: `--json`, the streams, the settings. */
export abstract class HypeCommand extends Command<CliContext> {
  json = flag("--json", "JSON for machines instead of words");

  /** Settings from the environment. Loaded when asked for: valibot costs a few milliseconds. @throws HypeError config_invalid */
  protected async config(overrides: Record<string, string> = {}): Promise<Config> {
    const { loadConfig } = await import("../config/load.ts");
    return loadConfig({ ...this.context.env, ...overrides });
  }

  protected print(words: string): void {
    this.context.stdout.write(words);
  }

  /** One JSON value on one line, so that several make NDJSON. */
  protected printJson(value: unknown): void {
    this.context.stdout.write(`${safeJson(value)}\n`);
  }

  /** Text a page or a guest wrote: exact into a pipe, harmless on a terminal. Waits for a slow reader. */
  protected async printForeign(words: string): Promise<void> {
    await writeFully(this.context.stdout, this.context.terminal.stdout ? sanitizeText(words) : words);
  }

  protected progress(quiet = false): Progress {
    if (quiet) return silentProgress;
    const { stderr, terminal, paint } = this.context;
    return createProgress({
      stream: stderr,
      isTerminal: terminal.stderr,
      columns: terminal.columns,
      colours: paint.stderr,
    });
  }
}

export const API_MEANING = "Where the server is; else OVERHYPED_API_BASE, else http://127.0.0.1:7777";

/** A command that talks to a server. */
export abstract class ServerCommand extends HypeCommand {
  api = text("--api", "url", API_MEANING);
  key = text("--key", "key", "Key to send; else OVERHYPED_API_KEY, else the admin key of this machine");

  /** Settings with --api and --key in their places. @throws HypeError config_invalid */
  protected serverConfig(): Promise<Config> {
    return this.config({
      ...(this.api === undefined ? {} : { OVERHYPED_API_BASE: this.api }),
      ...(this.key === undefined ? {} : { OVERHYPED_API_KEY: this.key }),
    });
  }

  /** @throws HypeError config_invalid | unauthorized (the key file cannot be read) */
  protected async client(): Promise<Client> {
    const config = await this.serverConfig();
    return this.context.connect(await connection(config));
  }
}

/** How the server of these settings is called. @throws HypeError config_invalid | unauthorized */
export async function connection(config: Config): Promise<ConnectOptions> {
  const { apiBase: base, apiCa } = config;
  const key = config.apiKey ?? (await localAdminKey(config));
  if (apiCa === null || !base.startsWith("https:")) return { base, key };
  try {
    return { base, key, ca: await Bun.file(apiCa).text() };
  } catch (thrown) {
    throw new HypeError("config_invalid", `OVERHYPED_API_CA ${apiCa} cannot be read: ${messageOf(thrown)}`, {
      path: apiCa,
    });
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether the server of these settings runs here: its admin key is then found, and used. */
export function isThisMachine({ apiBase, listen }: Pick<Config, "apiBase" | "listen">): boolean {
  const { hostname } = new URL(apiBase);
  return LOOPBACK.test(hostname) || hostname === listen.host;
}

/** The admin key of this machine, for servers on this machine only: it must not travel to a host that `--api` names. */
export async function localAdminKey(config: Config): Promise<string | null> {
  if (!isThisMachine(config)) return null;
  const { paths } = await import("../config/paths.ts");
  const path = paths.adminKey(config);
  try {
    return (await Bun.file(path).text()).trim() || null;
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "ENOENT") return null;
    throw new HypeError("unauthorized", `the admin key ${path} cannot be read: ${messageOf(thrown)}`, { path });
  }
}

/** Writes and waits until the stream took it, so that a slow reader slows us down instead of filling memory. */
export const writeFully = (stream: Writable, data: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(data, (fault) => (fault ? reject(fault) : resolve()));
  });

/** Everything a stream gives, as text. */
export async function readFully(stream: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces).toString("utf8");
}

/** A file name given on the command line, seen from where the command runs. */
export const resolvePath = (cwd: string, file: string): string => (file.startsWith("/") ? file : join(cwd, file));
