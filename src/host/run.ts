import { HypeError } from "../contract/index.ts";

export type RunResult = { code: number; stdout: string; stderr: string };
export type RunOptions = {
  cwd?: string;
  env?: Record<string, string>;
  stdin?: string | Uint8Array;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Gets the child's standard error as it comes, e.g. for progress. */
  onStderr?: (text: string) => void;
};

/**
 * Runs a program to its end, output captured. Never through a shell.
 * @param timeoutMs kills the program with SIGKILL when passed (default 60 s).
 * @throws HypeError `tool_missing` when the program is not there, `operation_timeout` at the deadline, `cancelled` on abort.
 */
export async function run(argv: [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const timeoutMs = options.timeoutMs ?? 60_000;
  if (!Bun.which(argv[0]))
    throw new HypeError("tool_missing", `the program ${argv[0]} is not installed or not in PATH`, { tool: argv[0] });
  const child = Bun.spawn(argv, {
    ...(options.cwd ? { cwd: options.cwd } : {}),
    env: options.env ? { ...process.env, ...options.env } : process.env,
    stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    readText(child.stderr, options.onStderr),
    child.exited,
  ]);
  if (options.signal?.aborted) throw new HypeError("cancelled", `${argv[0]} was cancelled`);
  if (child.signalCode === "SIGKILL" && code !== 0)
    throw new HypeError("operation_timeout", `${argv[0]} did not finish within ${timeoutMs} ms or was killed`, {
      tool: argv[0],
      stderr: tail(stderr),
    });
  return { code, stdout, stderr };
}

/** Last lines of a program's output, for error messages. */
export const tail = (text: string, lines = 20): string => text.trimEnd().split("\n").slice(-lines).join("\n");

async function readText(stream: ReadableStream<Uint8Array>, sink?: (text: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const piece = decoder.decode(chunk, { stream: true });
    text += piece;
    sink?.(piece);
  }
  return text + decoder.decode();
}
