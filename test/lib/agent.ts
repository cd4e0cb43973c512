import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENT_LISTENING_LINE } from "../../src/contract/index.ts";
import { chromiumProgram } from "./chromium.ts";

const ENTRY = new URL("../../agent/main.ts", import.meta.url).pathname;
/** Running as root, Chromium can only do without its sandbox; in a guest it has its own user. */
const SANDBOX = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

export type RunningAgent = AsyncDisposable & {
  /** `http://127.0.0.1:PORT` */
  endpoint: string;
  token: string;
  pid: number;
  /** Settles when the process is gone. */
  exited: Promise<number>;
  /** Ends the agent at once, as a crash would; its Chromium dies with it. */
  kill(): Promise<void>;
  /** Everything it wrote to its console so far. */
  output(): string;
};

/** The real agent with a real Chromium, as a local process. Returns when its door is open; Chromium may still be starting. */
export async function startAgent(
  options: {
    token?: string;
    port?: number;
    chromium?: string;
    /** Program and arguments that run the agent, given its own directory. */
    wrap?: (directory: string) => string[];
    /** Further flags of the agent. */
    flags?: string[];
  } = {},
): Promise<RunningAgent> {
  const directory = mkdtempSync(join(tmpdir(), "hype-agent-"));
  const token = options.token ?? randomBytes(32).toString("base64url");
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const child = Bun.spawn(
    [
      ...(options.wrap?.(directory) ?? []),
      process.execPath,
      ENTRY,
      ...["--host", "127.0.0.1", "--port", String(options.port ?? 0), "--machine", "none", "--browser-uid", "none"],
      ...["--chromium", options.chromium ?? chromiumProgram(), ...SANDBOX],
      ...["--token-file", tokenFile, "--user-data-dir", join(directory, "profile")],
      ...(options.flags ?? []),
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  let output = "";
  const opened = Promise.withResolvers<number>();
  const listening = new RegExp(`^${AGENT_LISTENING_LINE} on (\\d+)$`, "m");
  const take = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true });
      const match = listening.exec(output);
      if (match) opened.resolve(Number(match[1]));
    }
  };
  const read = Promise.all([take(child.stdout), take(child.stderr)]);
  void child.exited.then(async (code) => {
    await read;
    opened.reject(new Error(`the agent ended with ${code} before its door was open:\n${output}`));
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await child.exited;
    await read;
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const port = await opened.promise;
    return {
      endpoint: `http://127.0.0.1:${port}`,
      token,
      pid: child.pid,
      exited: child.exited,
      kill: () => end("SIGKILL"),
      output: () => output,
      [Symbol.asyncDispose]: () => end("SIGTERM"),
    };
  } catch (thrown) {
    await end("SIGKILL");
    throw thrown;
  }
}
