import { checkSchema, type SchemaName } from "./check-schema.ts";
import { ApiError } from "./errors.ts";
import type { HttpRequest, HttpResponse, Reply } from "./http.ts";
import type { Log } from "./log.ts";
import type { Moods, Trouble } from "./moods.ts";
import type { Records } from "./records.ts";
import type { VmConfig, VmResize } from "./schema.ts";
import type { Vmm } from "./vmm.ts";

const ROOT = "/api/v1/";

type Call = { method: "GET" | "PUT"; body?: SchemaName; run(vmm: Vmm, body: unknown): unknown };

const get = (run: Call["run"]): Call => ({ method: "GET", run });
const put = (run: Call["run"], body?: SchemaName): Call => ({ method: "PUT", run, ...(body ? { body } : {}) });
class BeyondError extends ApiError {
  constructor() {
    super(500, ["The stand-in for cloud-hypervisor cannot do this"]);
  }
}

/** The original can do it and this stand-in cannot: nobody may take its refusal for the original's. */
const beyond = (body?: SchemaName): Call =>
  put(() => {
    throw new BeyondError();
  }, body);

const CALLS: Record<string, Call> = {
  "vmm.ping": get((vmm) => vmm.ping()),
  "vmm.shutdown": put((vmm) => vmm.shutDownVmm()),
  "vm.info": get((vmm) => vmm.info()),
  "vm.counters": get((vmm) => vmm.counters()),
  "vm.create": put((vmm, config) => vmm.create(config as VmConfig), "VmConfig"),
  "vm.boot": put((vmm) => vmm.boot()),
  "vm.pause": put((vmm) => vmm.pause()),
  "vm.resume": put((vmm) => vmm.resume()),
  "vm.shutdown": put((vmm) => vmm.shutDown()),
  "vm.reboot": put((vmm) => vmm.reboot()),
  "vm.delete": put((vmm) => vmm.delete()),
  "vm.power-button": put((vmm) => vmm.powerButton()),
  "vm.nmi": put((vmm) => vmm.nmi()),
  "vm.resize": put((vmm, body) => vmm.resize(body as VmResize), "VmResize"),
  "vm.restore": beyond("RestoreConfig"),
  "vm.snapshot": beyond("VmSnapshotConfig"),
  "vm.resize-disk": beyond("VmResizeDisk"),
  "vm.resize-zone": beyond("VmResizeZone"),
  "vm.remove-device": beyond("VmRemoveDevice"),
  "vm.add-disk": beyond("DiskConfig"),
  "vm.add-net": beyond("NetConfig"),
  "vm.add-fs": beyond("FsConfig"),
  "vm.add-pmem": beyond("PmemConfig"),
  "vm.add-vsock": beyond("VsockConfig"),
};

/** From request to answer: moods, schema, call, status. */
export class Api {
  /** Every request so far, for tests that look at what was sent. */
  readonly calls: { method: string; path: string; body: unknown }[] = [];
  #held = new Map<string, { begun: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> }>();

  constructor(
    private readonly vmm: Vmm,
    private readonly moods: Moods,
    private readonly records: Records,
    private readonly log: Log,
    private readonly major: number,
  ) {}

  /** One HTTP thread, one VMM thread: whatever comes waits until what came before is done. */
  answer(request: HttpRequest): Promise<Reply> {
    return this.vmm.inTurn(() => this.#answer(request));
  }

  /** The gates of a call that is held: `begun` when it arrived, `released` to let it go on. */
  gate(name: string): { begun: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> } {
    const gate = this.#held.get(name) ?? {
      begun: Promise.withResolvers<void>(),
      released: Promise.withResolvers<void>(),
    };
    this.#held.set(name, gate);
    return gate;
  }

  async #answer(request: HttpRequest): Promise<Reply> {
    const name = request.path.startsWith(ROOT) ? request.path.slice(ROOT.length) : request.path;
    this.calls.push({ method: request.method, path: request.path, body: readable(request.body) });
    this.log.info(`API request event: ${request.method} ${name}`);
    const trouble = this.moods.calls[name] ?? {};
    const refusal = await this.#befall(name, trouble);
    if (trouble.drop) return { response: { status: 500, body: null }, how: "drop" };
    const response = refusal ?? (await this.#carryOut(name, request));
    if (trouble.crashAfter) process.kill(process.pid, "SIGKILL");
    if (name === "vmm.shutdown" && response.status === 200) setImmediate(() => void this.vmm.end(0));
    return { response, how: trouble.halfWrite ? "half" : "whole" };
  }

  async #befall(name: string, trouble: Trouble): Promise<HttpResponse | null> {
    if (trouble.delayMs) await Bun.sleep(trouble.delayMs);
    if (trouble.stall) {
      const gate = this.gate(name);
      gate.begun.resolve();
      await gate.released.promise;
      this.#held.delete(name);
    }
    if (trouble.seccomp) {
      process.stderr.write(
        "\n==== Possible seccomp violation ====\nTry running with `strace -ff` to identify the cause\n",
      );
      process.kill(process.pid, "SIGSYS");
      await new Promise(() => {});
    }
    if (typeof trouble.crash === "number") {
      process.stderr.write("thread 'vmm' panicked at fake: ordered\n");
      process.exit(trouble.crash);
    }
    if (trouble.crash) {
      process.kill(process.pid, trouble.crash);
      await new Promise(() => {});
    }
    return trouble.refuse ? { status: trouble.refuse.status ?? 500, body: JSON.stringify(trouble.refuse.chain) } : null;
  }

  async #carryOut(name: string, request: HttpRequest): Promise<HttpResponse> {
    try {
      const call = request.path.startsWith(ROOT) ? CALLS[name] : undefined;
      if (!call) throw new ApiError(404, ["Not Found"]);
      if (request.method !== "GET" && request.method !== "PUT") return { status: 400, body: null };
      if (request.method !== call.method) throw new ApiError(400, ["Bad Request"]);
      const result = await call.run(this.vmm, this.#body(name, call, request.body));
      if (name === "vmm.shutdown") return { status: 200, body: null };
      return result === undefined ? { status: 204, body: null } : { status: 200, body: result as string };
    } catch (thrown) {
      // Whatever goes wrong with a call, the process lives on.
      if (!(thrown instanceof ApiError))
        return { status: 500, body: JSON.stringify(["Error from API", String(thrown)]) };
      if (thrown instanceof BeyondError) this.records.violation(name, thrown.message);
      this.log.info(`HTTP API error response: ${thrown.message}`);
      return { status: this.#status(thrown), body: thrown.chain.length === 0 ? null : JSON.stringify(thrown.chain) };
    }
  }

  /** v52 and older knew hardly another status than 500; after v53 a config that is wrong in itself is the caller's fault. */
  #status({ status, chain }: ApiError): number {
    if (this.major < 53 && status === 404) return 500;
    return this.major > 53 && chain[2] === "Failed to validate config" ? 400 : status;
  }

  /** The original drops unknown fields in silence; a typing error would pass. Here it is a violation, and answered with 500. */
  #body(name: string, call: Call, text: string | null): unknown {
    if (!call.body) {
      if (text === null) return null;
      this.records.violation(name, "a body where there must be none");
      throw new ApiError(400, ["Bad Request"]);
    }
    if (text === null) throw new ApiError(400, name === "vm.create" ? [] : ["Bad Request"]);
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (thrown) {
      this.records.violation(name, "a body that is no JSON");
      throw new ApiError(400, ["Failed to deserialize JSON", (thrown as Error).message]);
    }
    const { unknown, wrong } = checkSchema(call.body, body);
    for (const what of [...unknown, ...wrong]) this.records.violation(name, what);
    if (wrong[0]) throw new ApiError(400, ["Failed to deserialize JSON", wrong[0]]);
    if (unknown.length > 0)
      throw new ApiError(500, [
        "The stand-in for cloud-hypervisor takes no field the original would ignore",
        ...unknown,
      ]);
    return body;
  }
}

function readable(body: string | null): unknown {
  try {
    return body === null ? null : JSON.parse(body);
  } catch {
    return body;
  }
}
