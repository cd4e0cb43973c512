import { HypeError, messageOf } from "../../contract/index.ts";
import { pinSocket } from "../../host/files.ts";

/** An event as QMP sends it (QEMU Machine Protocol Specification, "Asynchronous events"). */
export type QmpEvent = { event: string; data: Record<string, unknown> };

type Pending = { resolve(value: unknown): void; reject(reason: unknown): void; timer: Timer };

const COMMAND_TIMEOUT_MS = 10_000;
/** QEMU's longest answers here are a few KB; a peer that sends more without a newline is not QEMU. */
const LINE_LIMIT_BYTES = 1_048_576;

/** One QMP connection. QEMU serves one client at a time and takes the next when this one is gone: that is how a restarted server comes in. */
export class Qmp {
  #socket!: Bun.Socket;
  #text = "";
  #decoder = new TextDecoder();
  #pending = new Map<number, Pending>();
  #nextId = 1;
  #greeted = Promise.withResolvers<void>();
  #closed = Promise.withResolvers<void>();

  /** Settles when QEMU or we closed the connection. */
  readonly closed = this.#closed.promise;

  private constructor(private readonly onEvent: (event: QmpEvent) => void) {}

  /**
   * Connects and leaves negotiation mode.
   * @param path in the VMM's directory: what lies there under that name is not believed to be QEMU's (pinSocket).
   * @throws HypeError `hypervisor_failed`; the cause's code is ENOENT or ECONNREFUSED while QEMU is not listening yet.
   */
  static async connect(path: string, onEvent: (event: QmpEvent) => void): Promise<Qmp> {
    const qmp = new Qmp(onEvent);
    qmp.#greeted.promise.catch(() => {});
    try {
      using socket = pinSocket(path);
      qmp.#socket = await Bun.connect({
        unix: socket.path,
        socket: {
          data: (_socket, bytes) => qmp.#receive(bytes),
          close: () => qmp.#end("QEMU closed its control socket"),
          error: (_socket, error) => qmp.#end(error.message),
        },
      });
    } catch (thrown) {
      throw new HypeError(
        "hypervisor_failed",
        `QEMU's control socket cannot be reached: ${messageOf(thrown)} (${(thrown as { code?: string }).code})`,
        {},
        { cause: thrown },
      );
    }
    const deadline = setTimeout(() => qmp.#end("QEMU did not greet in time"), COMMAND_TIMEOUT_MS);
    try {
      await qmp.#greeted.promise;
      await qmp.execute("qmp_capabilities");
    } catch (thrown) {
      qmp.close();
      throw thrown;
    } finally {
      clearTimeout(deadline);
    }
    return qmp;
  }

  /** @throws HypeError `hypervisor_failed` with QEMU's own description, or when the connection ends or 10 s pass. */
  execute(command: string, args?: Record<string, unknown>): Promise<unknown> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      reject(new HypeError("hypervisor_failed", `QEMU did not answer ${command} within ${COMMAND_TIMEOUT_MS} ms`));
    }, COMMAND_TIMEOUT_MS);
    this.#pending.set(id, { resolve, reject, timer });
    // A command is a few hundred bytes at most: a Unix socket's buffer always takes it whole.
    this.#socket.write(
      `${JSON.stringify(args ? { execute: command, arguments: args, id } : { execute: command, id })}\n`,
    );
    return promise;
  }

  close(): void {
    this.#socket?.end();
    this.#end("the control connection was closed");
  }

  #receive(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (this.#text.length > LINE_LIMIT_BYTES) return this.#end("QEMU's answer is too long");
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") this.#handle(line);
  }

  #handle(line: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return this.#end("QEMU's control socket speaks no JSON");
    }
    if ("QMP" in message) this.#greeted.resolve();
    else if (typeof message.event === "string")
      this.onEvent({ event: message.event, data: (message.data ?? {}) as Record<string, unknown> });
    else if (typeof message.id === "number") this.#settle(message.id, message);
  }

  #settle(id: number, message: Record<string, unknown>): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    const error = message.error as { class?: string; desc?: string } | undefined;
    if (error) pending.reject(new HypeError("hypervisor_failed", `QEMU: ${error.desc ?? error.class}`));
    else pending.resolve(message.return);
  }

  #end(reason: string): void {
    const error = new HypeError("hypervisor_failed", reason);
    this.#greeted.reject(error);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
    this.#closed.resolve();
  }
}
