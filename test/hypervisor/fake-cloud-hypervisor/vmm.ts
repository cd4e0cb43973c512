import { existsSync, readFileSync, watch } from "node:fs";
import type { VmConfig } from "../../fake/cloud-hypervisor/schema.ts";
import {
  type FakeCloudHypervisor,
  fakeCloudHypervisor,
  type Moods,
  type Place,
} from "../../lib/fake-cloud-hypervisor.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

export type Answer = { status: number; text: string; chain: string[] | null };
export type CloudEvent = {
  timestamp: { secs: number; nanos: number };
  source: string;
  event: string;
  properties: Record<string, string> | null;
};

/** One stand-in in a directory of its own, as a test of its habits needs it. */
export class TestVmm implements AsyncDisposable {
  readonly directory = temporaryDirectory();
  readonly program: FakeCloudHypervisor;
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #stdout: Promise<string>;
  readonly #stderr: Promise<string>;

  constructor(
    moods: Partial<Moods> = {},
    argv: string[] = [...API, ...EVENTS],
    before?: (directory: string) => void,
    place?: Place,
  ) {
    this.program = fakeCloudHypervisor({ guest: "stub", ...moods }, place);
    before?.(this.directory.path);
    this.child = Bun.spawn([this.program.program, ...argv], {
      cwd: this.directory.path,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#stdout = new Response(this.child.stdout).text();
    this.#stderr = new Response(this.child.stderr).text();
  }

  /** Started, with its API socket there. */
  static async ready(...how: ConstructorParameters<typeof TestVmm>): Promise<TestVmm> {
    const vmm = new TestVmm(...how);
    try {
      await vmm.until(() => existsSync(vmm.socket));
      await listening(vmm.socket);
      return vmm;
    } catch (thrown) {
      await vmm[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  get socket(): string {
    return this.directory.join("api.sock");
  }
  get pid(): number {
    return this.child.pid;
  }

  async call(method: string, name: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`http://localhost/api/v1/${name}`, {
      unix: this.socket,
      method,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, chain: text.startsWith("[") ? (JSON.parse(text) as string[]) : null };
  }
  put = (name: string, body?: unknown): Promise<Answer> => this.call("PUT", name, body);
  get = (name: string): Promise<Answer> => this.call("GET", name);
  async info(): Promise<{ state: string; config: VmConfig; memory_actual_size: number; device_tree?: object }> {
    return JSON.parse((await this.get("vm.info")).text);
  }

  /** Created and booted. */
  async boot(config: VmConfig = MINIMAL): Promise<void> {
    for (const answer of [await this.put("vm.create", config), await this.put("vm.boot")])
      if (answer.status !== 204) throw new Error(answer.text);
  }

  /** What stands in the event file so far: split at the empty lines, an unfinished rest left out. */
  events(): CloudEvent[] {
    const pieces = readFileSync(this.directory.join("events"), "utf8").split("\n\n");
    return pieces.slice(0, -1).map((piece) => JSON.parse(piece) as CloudEvent);
  }
  /** `vm/booted`, without what devices say. */
  story(): string[] {
    return this.events()
      .filter(({ source }) => source !== "virtio-device")
      .map(({ source, event }) => `${source}/${event}`);
  }

  /** Waits until something is so, looking whenever a file of the directory changes; fails when the program ends before. */
  async until(so: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => so() && resolve();
    const watcher = watch(this.directory.path, look);
    void this.child.exited.then(async (code) => {
      look();
      reject(new Error(`the program ended with ${code}: ${await this.#stderr}`));
    });
    try {
      look();
      // fs.watch swallows a second event of a file within a millisecond.
      const again = setInterval(look, 50);
      await promise.finally(() => clearInterval(again));
    } finally {
      watcher.close();
    }
  }

  async end(
    signal?: NodeJS.Signals,
  ): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }> {
    if (signal) this.child.kill(signal);
    await this.child.exited;
    const { exitCode: code, signalCode } = this.child;
    return {
      code,
      signal: signalCode === null ? null : String(signalCode),
      stdout: await this.#stdout,
      stderr: await this.#stderr,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
    this.program[Symbol.dispose]();
    this.directory[Symbol.dispose]();
  }
}

/** The file is there at bind(2), a moment before listen(2). */
async function listening(socket: string): Promise<void> {
  for (;;) {
    try {
      using _client = await RawClient.connect(socket);
      return;
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "ECONNREFUSED") throw thrown;
    }
  }
}

export const API = ["--api-socket", "path=api.sock"];
export const EVENTS = ["--event-monitor", "path=events"];
/** Any file that can be read passes for a kernel as long as nothing boots it. */
export const MINIMAL = { payload: { kernel: "/etc/passwd" } } satisfies VmConfig;

/** A client that sees the bytes. */
export class RawClient implements Disposable {
  text = "";
  closed = false;
  #changed: () => void = () => {};

  private constructor(private readonly socket: Bun.Socket) {}

  static async connect(path: string): Promise<RawClient> {
    let client: RawClient | null = null;
    let early = "";
    const socket = await Bun.connect({
      unix: path,
      allowHalfOpen: true,
      socket: {
        data: (_socket, bytes) => {
          if (client) client.#take(bytes.toString("latin1"));
          else early += bytes.toString("latin1");
        },
        end: (ended) => void ended.end(),
        close: () => void (client && client.#close()),
      },
    });
    client = new RawClient(socket);
    client.#take(early);
    return client;
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }
  /** Closes the writing side alone. */
  halfClose(): void {
    this.socket.shutdown();
  }

  /** Waits for bytes that match. @throws Error when the server closes before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      if (this.closed) throw new Error(`closed after ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
    return this.text;
  }
  /** Waits until the server hangs up. @returns all it said */
  async untilClosed(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => (this.#changed = resolve));
    return this.text;
  }

  #take(text: string): void {
    this.text += text;
    this.#changed();
  }
  #close(): void {
    this.closed = true;
    this.#changed();
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
