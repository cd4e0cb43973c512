import { Readable, Writable } from "node:stream";
import type { CliContext } from "../../src/cli/context.ts";
import { colours } from "../../src/cli/output/colours.ts";
import { run } from "../../src/cli/run.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import type { VmEvent } from "../../src/contract/event.ts";
import type { Vm } from "../../src/contract/vm.ts";

export type Outcome = { code: number; stdout: string; stderr: string; bytes: Buffer };
export type World = {
  client?: Client;
  /** Instead of a client: connects for real. */
  connect?: CliContext["connect"];
  /** Who was connected to, with which key. */
  connections?: ConnectOptions[];
  stdin?: string;
  /** Which streams are terminals; none by default. */
  terminal?: Partial<CliContext["terminal"]>;
  coloured?: boolean;
  env?: Record<string, string>;
  cwd?: string;
  /** Called with everything that was said on standard output so far, whenever more is said. */
  onStdout?: (text: string) => void;
  /** Stands for Ctrl-C. */
  interrupt?: AbortController;
};

class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  constructor(private readonly heard: (text: string) => void = () => {}) {
    super();
  }
  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    this.heard(this.bytes.toString());
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** Runs one command line in this process, against whatever world the test hands in. */
export async function hype(argv: readonly string[], world: World = {}): Promise<Outcome> {
  const stdout = new Sink(world.onStdout);
  const stderr = new Sink();
  const paint = colours(world.coloured ?? false);
  const context: CliContext = {
    env: { HOME: "/nonexistent", ...world.env },
    stdin: Readable.from(world.stdin === undefined ? [] : [Buffer.from(world.stdin)]),
    stdout,
    stderr,
    colorDepth: 1,
    terminal: { stdin: false, stdout: false, stderr: false, columns: 80, ...world.terminal },
    paint: { stdout: paint, stderr: paint },
    cwd: world.cwd ?? "/nonexistent",
    async connect(options) {
      world.connections?.push(options);
      if (world.connect) return await world.connect(options);
      if (!world.client) throw new Error("this test connects to no server");
      return world.client;
    },
    catchInterrupts: () => ({ signal: (world.interrupt ?? new AbortController()).signal, [Symbol.dispose]() {} }),
  };
  const code = await run([...argv], context);
  return { code, stdout: stdout.bytes.toString(), stderr: stderr.bytes.toString(), bytes: stdout.bytes };
}

type Parts = { [Room in keyof Client]?: Client[Room] extends object ? Partial<Client[Room]> : Client[Room] };

/** A client that can do what the test gives it; any other call fails by name. */
export function fakeClient(parts: Parts): Client {
  const guarded = (room: string, known: object) =>
    new Proxy(known, {
      get(target, name: string) {
        if (name in target) return target[name as keyof typeof target];
        return () => {
          throw new Error(`${room}.${name} was not expected`);
        };
      },
    });
  return new Proxy({ base: "http://fake", ...parts } as Record<string, unknown>, {
    get(target, room: string) {
      const known = target[room];
      return known === undefined || (typeof known === "object" && known !== null) ? guarded(room, known ?? {}) : known;
    },
  }) as unknown as Client;
}

export const aVm = (change: Partial<Vm> = {}): Vm => ({
  id: "0190b5a0-0000-7000-8000-000000000001",
  name: "demo",
  status: "running",
  status_reason: null,
  console_tail: null,
  generation: 1,
  cpu_cores: 2,
  memory_mb: 1024,
  kernel_cmdline: null,
  network: "user",
  keep: [],
  egress_mode: "open",
  isolation: null,
  image: "0123456789abcdef",
  profile: null,
  labels: {},
  ttl_seconds: null,
  expires_at: null,
  ip_address: "192.168.127.2",
  endpoint: "http://127.0.0.1:40001",
  hypervisor: "qemu",
  accelerator: "tcg",
  pid: 4711,
  boot_ms: 7900,
  browser_restarts: 0,
  control: null,
  created_at: "2026-01-02T03:04:05.000Z",
  started_at: "2026-01-02T03:04:05.000Z",
  updated_at: "2026-01-02T03:04:13.000Z",
  ...change,
});

let seq = 0;
export const anEvent = (type: VmEvent["type"], change: Partial<VmEvent> = {}): VmEvent => ({
  seq: ++seq,
  type,
  vm_id: aVm().id,
  vm_name: "demo",
  at: "2026-01-02T03:04:05.000Z",
  data: {},
  ...change,
});

/** A stream that tells the events given, then ends when the signal aborts. */
export async function* streamOf(events: VmEvent[], signal?: AbortSignal): AsyncGenerator<VmEvent> {
  yield* events;
  if (!signal || signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
