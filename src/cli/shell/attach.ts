import type { Readable, Writable } from "node:stream";
import type { Client, Shell } from "../../client/types.ts";
import { SHELL_STREAM } from "../../contract/shell.ts";
import { sanitizeText } from "../../text/sanitize.ts";
import { writeFully } from "../command.ts";
import type { CliContext } from "../context.ts";
import { ESCAPE_KEY, EscapeWatch } from "./escape.ts";
import { ModeWatch } from "./modes.ts";
import { rawOutput } from "./raw-output.ts";

/** Standard input and output when they are a terminal. */
export type Terminal = {
  input: Readable & { fd?: number; setRawMode?(isRaw: boolean): unknown };
  output: Writable & { columns?: number; rows?: number };
};

/**
 * A terminal in a VM on the user's own.
 * @returns its exit code; null when the user left
 * @throws HypeError what refused it, or broke it off
 */
export async function runShell(
  client: Client,
  vm: string,
  command: string[],
  terminal: Terminal,
  { env, stderr, paint }: Pick<CliContext, "env" | "stderr" | "paint">,
): Promise<number | null> {
  const term = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/.test(env.TERM ?? "") ? { term: env.TERM } : {};
  const shell = await client.vms.shell(vm, { command, terminal: { ...sizeOf(terminal), ...term } });
  stderr.write(`${paint.stderr.dim(`${vm}: ${ESCAPE_KEY} leaves`)}\n`);
  return await attachTerminal(shell, terminal);
}

/** The size of the user's terminal, as the guest is told it. */
const sizeOf = ({ output }: Terminal) => ({ columns: side(output.columns, 80), rows: side(output.rows, 24) });
const side = (value: number | undefined, otherwise: number) => Math.min(4096, Math.max(1, value || otherwise));

/**
 * Hands the user's terminal to a shell in a guest until that ends, or the escape key is pressed. The terminal is as it was when this returns
 * or throws: its mode, and whatever the guest switched on.
 * @returns its exit code; null when the user left
 * @throws HypeError what broke it off
 */
export async function attachTerminal(shell: Shell, terminal: Terminal): Promise<number | null> {
  const { input, output } = terminal;
  const left = Promise.withResolvers<null>();
  const escape = new EscapeWatch();
  const modes = new ModeWatch();
  const onData = (bytes: Buffer) => {
    const { before, isPressed } = escape.read(bytes);
    if (isPressed) return left.resolve(null);
    written = written.then(() => shell.write(before));
  };
  const onEnd = () => left.resolve(null); // the terminal was closed
  const onResize = () => {
    const { columns, rows } = sizeOf(terminal);
    shell.resize(columns, rows);
  };
  let written = Promise.resolve();
  input.setRawMode?.(true);
  const raw = input.fd === undefined ? null : rawOutput(input.fd);
  input.on("data", onData);
  input.on("end", onEnd);
  output.on("resize", onResize);
  input.resume();
  onResize();
  const show = async () => {
    const pieces = shell.output();
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) return value;
      modes.see(value.bytes);
      await writeFully(output, value.bytes);
    }
  };
  try {
    const shown = show();
    shown.catch(() => {}); // told below, unless the user has left
    return await Promise.race([shown, left.promise]);
  } finally {
    shell[Symbol.dispose]();
    input.off("data", onData);
    input.off("end", onEnd);
    output.off("resize", onResize);
    input.pause();
    raw?.[Symbol.dispose]();
    input.setRawMode?.(false);
    await writeFully(output, modes.undo()).catch(() => {});
  }
}

export type Pipes = {
  input: Readable;
  output: Writable;
  error: Writable;
  /** Which of them a person looks at: what a guest says is harmless there. */
  terminal: { stdout: boolean; stderr: boolean };
};

/** Joins standard input, output and error to those of a command in a guest. @returns its exit code @throws HypeError what broke it off */
export async function attachPipes(shell: Shell, pipes: Pipes): Promise<number> {
  const { input, terminal } = pipes;
  const feed = async () => {
    for await (const piece of input) await shell.write(Buffer.from(piece as Uint8Array));
    shell.end();
  };
  void feed().catch(() => shell.end());
  const sinks = {
    [SHELL_STREAM.out]: sinkOf(pipes.output, terminal.stdout),
    [SHELL_STREAM.error]: sinkOf(pipes.error, terminal.stderr),
  };
  try {
    const pieces = shell.output();
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) return value;
      await sinks[value.stream as 1 | 2]?.(value.bytes);
    }
  } finally {
    shell[Symbol.dispose]();
    input.destroy();
  }
}

function sinkOf(stream: Writable, isTerminal: boolean): (bytes: Uint8Array) => Promise<void> {
  const decoder = new TextDecoder();
  return (bytes) => writeFully(stream, isTerminal ? sanitizeText(decoder.decode(bytes, { stream: true })) : bytes);
}
