import type { Subprocess } from "bun";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { FullConfig } from "./config.ts";
import { type Deed, dieWithMe, type DiskCounters, type Guest } from "./guest.ts";
import { qemuArguments } from "./qemu-arguments.ts";

type Message = {
  id?: number;
  event?: string;
  data?: { reason?: string; action?: string };
  return?: unknown;
  error?: { desc: string };
};

const OUTPUT_LIMIT = 4096;
/** Behind the three standard ones. */
const FIRST_FREE_FD = 3;

/** A descriptor of a file that holds a text and has no name any more. */
function nameless(text: string): number {
  const path = `.fake-ch-${process.pid}`;
  const fd = openSync(path, "wx+", 0o600);
  rmSync(path);
  writeSync(fd, text);
  return fd;
}

/** The guest in QEMU, steered over its standard input and output (QMP): no socket of QEMU's lies beside ours. */
export class QemuGuest implements Guest {
  #child: Subprocess<"pipe", "pipe", "pipe"> | null = null;
  #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  #greeted = Promise.withResolvers<void>();
  #output = "";
  #ended = false;
  #told = false;

  constructor(
    private readonly program: string,
    private readonly deed: Deed,
  ) {}

  async start(config: FullConfig): Promise<void> {
    const oem = (config.platform?.oem_strings ?? []).map(nameless);
    const argv = qemuArguments(
      config,
      FIRST_FREE_FD,
      oem.map((_, at) => `/proc/self/fd/${FIRST_FREE_FD + 1 + at}`),
    );
    const child = Bun.spawn(dieWithMe([this.program, ...argv]), {
      stdio: ["pipe", "pipe", "pipe", 1, ...oem],
    }) as Subprocess<"pipe", "pipe", "pipe">;
    for (const fd of oem) closeSync(fd);
    this.#child = child;
    const read = Promise.all([this.#read(child.stdout), this.#note(child.stderr)]);
    void child.exited.then(async (code) => {
      await read;
      const error = new Error(this.#output.trim() || `the emulation ended with ${code}`);
      this.#greeted.reject(error);
      for (const { reject } of this.#pending.values()) reject(error);
      this.#tell("die", error.message);
    });
    try {
      await this.#greeted.promise;
      await this.#execute("qmp_capabilities");
      await this.#execute("cont");
    } catch (thrown) {
      await this.end();
      throw thrown;
    }
  }

  async pause(): Promise<void> {
    await this.#execute("stop");
  }
  async resume(): Promise<void> {
    await this.#execute("cont");
  }
  async powerButton(): Promise<void> {
    await this.#execute("system_powerdown");
  }
  async nmi(): Promise<void> {
    await this.#execute("inject-nmi");
  }
  async setBalloon(bytes: number): Promise<void> {
    await this.#execute("balloon", { value: bytes });
  }
  async diskCounters(): Promise<DiskCounters[]> {
    const devices = (await this.#execute("query-blockstats")) as {
      stats: { rd_bytes: number; rd_operations: number; wr_bytes: number; wr_operations: number };
    }[];
    return devices.map(({ stats }) => ({
      read_bytes: stats.rd_bytes,
      read_ops: stats.rd_operations,
      write_bytes: stats.wr_bytes,
      write_ops: stats.wr_operations,
    }));
  }
  async end(): Promise<void> {
    this.#ended = true;
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  #execute(command: string, args?: object): Promise<unknown> {
    const id = this.#nextId++;
    const pending = Promise.withResolvers<unknown>();
    this.#pending.set(id, pending);
    this.#child?.stdin.write(`${JSON.stringify({ execute: command, ...(args ? { arguments: args } : {}), id })}\n`);
    this.#child?.stdin.flush();
    return pending.promise;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") this.#handle(JSON.parse(line) as Message);
    }
  }

  async #note(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream)
      this.#output = (this.#output + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_LIMIT);
  }

  /** With -no-reboot QEMU ends at a reset and says so; the VMM then builds the machine anew, as the original does. */
  #handle(message: Message): void {
    if ("QMP" in message) this.#greeted.resolve();
    else if (message.event === "GUEST_PANICKED") this.deed("panic", "panic");
    else if (message.event === "SHUTDOWN") {
      if (message.data?.reason === "guest-shutdown") this.#tell("power-off", "ACPI S5");
      if (message.data?.reason === "guest-reset") this.#tell("reset", "reset");
    } else if (message.id !== undefined) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error) pending?.reject(new Error(message.error.desc));
      else pending?.resolve(message.return);
    }
  }

  #tell(deed: "power-off" | "reset" | "die", detail: string): void {
    if (this.#ended || this.#told) return;
    this.#told = true;
    this.deed(deed, detail);
  }
}
