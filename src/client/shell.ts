import * as v from "valibot";
import { HypeError } from "../contract/errors.ts";
import {
  type OpenShellInput,
  SHELL_MESSAGE_BYTES,
  SHELL_WINDOW_BYTES,
  type ShellCommand,
  ShellMessage,
} from "../contract/shell.ts";
import { errorOf } from "./problem-error.ts";
import type { Transport } from "./transport.ts";
import type { ConnectOptions, Shell, ShellOutput } from "./types.ts";

type Way = Pick<ConnectOptions, "base" | "key" | "ca"> & { send: Transport };

/** The global as Bun has it: the DOM's types know neither headers nor TLS. */
const BunWebSocket = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => Bun.WebSocket;
const readMessage = v.safeParser(v.pipe(v.string(), v.parseJson(), ShellMessage));

/** RFC 6455, section 7.4.1, and its registry, as the server uses them. */
const CLOSED = { goingAway: 1001, lost: 1006, policy: 1008, restart: 1012 };

/**
 * Opens a shell in a VM. @throws HypeError what the server refused it for, server_unreachable, cancelled
 */
export async function openShell(
  way: Way,
  name: string,
  request: Omit<OpenShellInput, "type">,
  signal?: AbortSignal,
): Promise<Shell> {
  const path = `/api/v1/vms/${encodeURIComponent(name)}/shell`;
  const socket = new BunWebSocket(`${way.base.replace(/^http/, "ws")}${path}`, {
    ...(way.key === null ? {} : { headers: { authorization: `Bearer ${way.key}` } }),
    ...(way.ca === undefined ? {} : { tls: { ca: way.ca } }),
    perMessageDeflate: false,
  });
  socket.binaryType = "nodebuffer";
  const opened = Promise.withResolvers<boolean>();
  socket.onopen = () => opened.resolve(true);
  socket.onerror = () => {}; // a close event follows
  socket.onclose = () => opened.resolve(false);
  const cancel = () => socket.terminate();
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  if (!(await opened.promise)) {
    signal?.removeEventListener("abort", cancel);
    if (signal?.aborted) throw new HypeError("cancelled", "the call was cancelled");
    throw await whyRefused(way, path, name);
  }
  const shell = new OpenedShell(socket, name, () => signal?.removeEventListener("abort", cancel), signal);
  shell.say({ type: "open", command: [], ...request } as ShellCommand);
  return shell;
}

/** A failed handshake does not say why. Asked without one, the server says the same in words. */
async function whyRefused({ send }: Way, path: string, name: string): Promise<HypeError> {
  try {
    throw await errorOf(await send(path));
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code !== "invalid_request") return thrown;
    return new HypeError("guest_unreachable", `the agent in ${name} did not open a shell`, {}, { cause: thrown });
  }
}

class OpenedShell implements Shell {
  readonly #socket: Bun.WebSocket;
  #arrived: ShellOutput[] = [];
  #code: number | null = null;
  #fault: HypeError | null = null;
  #changed = Promise.withResolvers<void>();
  /** Input the other side has not acknowledged, bytes. */
  #untaken = 0;

  constructor(socket: Bun.WebSocket, name: string, onClose: () => void, signal: AbortSignal | undefined) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") {
        const bytes = data as unknown as Buffer;
        if (bytes.length > 1) this.#arrived.push({ stream: bytes[0] as number, bytes: bytes.subarray(1) });
      } else {
        const read = readMessage(data);
        if (!read.success) return; // of another version, or hostile
        if (read.output.type === "exit") this.#code = read.output.code;
        else this.#untaken = Math.max(0, this.#untaken - read.output.bytes);
      }
      this.#wake();
    };
    socket.onclose = ({ code, reason }) => {
      onClose();
      this.#fault = signal?.aborted
        ? new HypeError("cancelled", "the call was cancelled")
        : faultOf(name, code, reason);
      this.#wake();
    };
  }

  async *output(): AsyncGenerator<ShellOutput, number> {
    for (;;) {
      const pieces = this.#arrived;
      this.#arrived = [];
      for (const piece of pieces) {
        yield piece;
        this.say({ type: "ack", bytes: piece.bytes.length });
      }
      if (this.#arrived.length > 0) continue;
      if (this.#code !== null) return this.#code;
      if (this.#fault) throw this.#fault;
      await this.#changed.promise;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SHELL_MESSAGE_BYTES) {
      const piece = bytes.subarray(at, at + SHELL_MESSAGE_BYTES);
      while (!this.#isOver && this.#untaken + piece.length > SHELL_WINDOW_BYTES) await this.#changed.promise;
      if (this.#isOver) return;
      this.#untaken += piece.length;
      this.#socket.send(piece as Uint8Array<ArrayBuffer>);
    }
  }

  end(): void {
    this.say({ type: "end" });
  }

  resize(columns: number, rows: number): void {
    this.say({ type: "resize", columns, rows });
  }

  signal(name: Parameters<Shell["signal"]>[0]): void {
    this.say({ type: "signal", signal: name });
  }

  say(command: ShellCommand): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(command));
  }

  /** Ends it, unless it has ended. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }

  get #isOver(): boolean {
    return this.#code !== null || this.#fault !== null;
  }

  #wake(): void {
    const before = this.#changed;
    this.#changed = Promise.withResolvers();
    before.resolve();
  }
}

function faultOf(name: string, code: number, reason: string): HypeError {
  if (code === CLOSED.restart) return new HypeError("vm_not_running", reason || `${name} is gone`, { vm: name });
  if (code === CLOSED.goingAway && /server/.test(reason)) return new HypeError("shutting_down", reason);
  if (code === CLOSED.policy && /key/.test(reason)) return new HypeError("unauthorized", reason);
  if (code === CLOSED.lost) return new HypeError("server_unreachable", "the connection to the server was lost");
  return new HypeError("guest_unreachable", `the shell in ${name} broke off: ${reason || `code ${code}`}`);
}
