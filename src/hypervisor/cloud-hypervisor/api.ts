import * as v from "valibot";
import { HypeError, messageOf } from "../../contract/index.ts";
import { pinSocket } from "../../host/files.ts";
import { API_BASE, type Call, CALLS, ErrorChain } from "./facts.ts";
import type { VmConfig } from "./config.ts";

/** A call that creates devices can take long on a busy host, and everything else waits for it: no deadline here means death, only the process does. */
const DEADLINE_MS = { create: 30_000, boot: 60_000, other: 15_000 } as const;
/** `vm.info` is a few KB; a VMM that its guest took over may send anything. */
const REPLY_LIMIT_BYTES = 1_048_576;
const ERROR_TEXT_CHARACTERS = 2_000;

export type CallOptions = { body?: VmConfig; signal?: AbortSignal; deadlineMs?: number };

/** The HTTP API of one VMM. One request at a time: the server is serial and takes no more than ten connections. */
export class ChApi {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** @param socket in the VMM's directory: what lies there under that name is not believed to be the VMM's (pinSocket). */
  constructor(private readonly socket: string) {}

  /** True while a request is under way or waits. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /** @throws HypeError hypervisor_failed with Cloud Hypervisor's own error chain | cancelled when `signal` fires */
  async call(name: Call, options: CallOptions = {}): Promise<unknown> {
    this.#pending++;
    const turn = this.#last.then(() => this.#send(name, options));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#pending--;
    }
  }

  /** As `call`, the answer checked. */
  async ask<T>(name: Call, schema: v.GenericSchema<unknown, T>, options: CallOptions = {}): Promise<T> {
    const reply = v.safeParse(schema, await this.call(name, options));
    if (reply.success) return reply.output;
    throw new HypeError(
      "hypervisor_failed",
      `Cloud Hypervisor's answer to ${CALLS[name].path} is not understood: ${reply.issues[0].message}`,
    );
  }

  async #send(name: Call, { body, signal, deadlineMs }: CallOptions): Promise<unknown> {
    const { method, path } = CALLS[name];
    const withinMs = deadlineMs ?? (name === "create" || name === "boot" ? DEADLINE_MS[name] : DEADLINE_MS.other);
    const deadline = AbortSignal.timeout(withinMs);
    try {
      using socket = pinSocket(this.socket);
      const response = await fetch(API_BASE + path, {
        unix: socket.path, // a proxy of the environment is not asked then (measured, Bun 1.4.5)
        method,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        keepalive: false,
        redirect: "manual",
        decompress: false,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      const text = await readBounded(response, path);
      if (response.status >= 200 && response.status < 300) return text === "" ? null : (JSON.parse(text) as unknown);
      throw refusal(path, response.status, text);
    } catch (thrown) {
      if (thrown instanceof HypeError) throw thrown;
      if (signal?.aborted) throw new HypeError("cancelled", "the start was cancelled", {}, { cause: thrown });
      const why = deadline.aborted ? `no answer within ${withinMs} ms` : messageOf(thrown);
      throw new HypeError("hypervisor_failed", `Cloud Hypervisor, ${path}: ${why}`, {}, { cause: thrown });
    }
  }
}

function refusal(path: string, status: number, text: string): HypeError {
  const chain = errorChain(text);
  const words = chain.length > 0 ? chain.join(": ") : "no reason given";
  return new HypeError("hypervisor_failed", `Cloud Hypervisor refused ${path} (${status}): ${words}`, {
    status,
    chain,
  });
}

/** Top to root cause; what is no array of strings is taken as text. */
function errorChain(text: string): string[] {
  try {
    return v.parse(ErrorChain, JSON.parse(text)).map((words) => words.slice(0, ERROR_TEXT_CHARACTERS));
  } catch {
    const words = text.trim().slice(0, ERROR_TEXT_CHARACTERS);
    return words === "" ? [] : [words];
  }
}

async function readBounded(response: Response, path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > REPLY_LIMIT_BYTES)
      throw new HypeError(
        "hypervisor_failed",
        `Cloud Hypervisor's answer to ${path} is longer than ${REPLY_LIMIT_BYTES} bytes`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
