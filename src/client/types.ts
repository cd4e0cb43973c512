import type * as v from "valibot";
import type {
  Activity,
  AuditList,
  CdpToken,
  Content,
  CreatedKey,
  CreateKeyInput,
  CreateVmInput,
  Egress,
  EgressPolicyInput,
  Evaluate,
  Evaluated,
  EventList,
  EventType,
  Image,
  ImageList,
  ImageManifest,
  Key,
  KeyList,
  ListVmsQuery,
  LogSource,
  Navigate,
  Navigated,
  PageContent,
  ResizeVm,
  Screenshot,
  SystemStatus,
  TabList,
  Vm,
  VmEvent,
  VmList,
} from "../contract/index.ts";
import type { BrowserOperationName, BrowserOperations } from "../server/browser/operations.ts";

/** One call. Aborting `signal` ends the wait with `cancelled`; it does not undo what the server already does. */
export type CallOptions = { signal?: AbortSignal };
/** `wait: false` returns as soon as the server has noted what is intended. Default: when it is so. */
export type WaitOptions = CallOptions & { wait?: boolean };

export type ConnectOptions = {
  /** `http://HOST:PORT`. */
  base: string;
  /** Sent as `Authorization: Bearer`; null sends none. */
  key: string | null;
  /** Certificate authorities (PEM) to trust instead of this machine's. */
  ca?: string;
  /** What carries the requests; default the global `fetch`. In-process callers pass the app's own handler. */
  fetch?: (request: Request) => Promise<Response>;
};

export type EventQuery = { after?: number; limit?: number; vm?: string; type?: EventType };
/** Without `after`: the newest. `key`: name or id. */
export type AuditQuery = { after?: number; limit?: number; key?: string; vm?: string };
export type LogQuery = CallOptions & {
  source?: LogSource;
  /** Lines from the end to begin with; default 200. */
  tail?: number;
  /** Keep on reading until the signal aborts or the VM is deleted. */
  follow?: boolean;
};

export type BytesOperation = {
  [N in BrowserOperationName]: BrowserOperations[N]["reply"] extends null ? N : never;
}[BrowserOperationName];
export type JsonOperation = Exclude<BrowserOperationName, BytesOperation>;
export type OperationInput<N extends BrowserOperationName> = v.InferInput<BrowserOperations[N]["request"]>;
export type OperationOutput<N extends JsonOperation> = v.InferOutput<NonNullable<BrowserOperations[N]["reply"]>>;

/**
 * Everything the server offers, typed by the contract. Every failure is a `HypeError`: the server's problem documents keep their code,
 * details, issues (`details.issues`) and ref (`details.ref`); no answer is `server_unreachable`; an aborted signal is `cancelled`.
 * VMs are named by name or id.
 */
export type Client = {
  readonly base: string;
  readonly vms: {
    list(query?: ListVmsQuery, options?: CallOptions): Promise<VmList>;
    get(name: string, options?: CallOptions): Promise<Vm>;
    create(input: CreateVmInput, options?: WaitOptions): Promise<Vm>;
    start(name: string, options?: WaitOptions): Promise<Vm>;
    stop(name: string, options?: WaitOptions & { force?: boolean }): Promise<Vm>;
    restart(name: string, options?: WaitOptions): Promise<Vm>;
    pause(name: string, options?: CallOptions): Promise<Vm>;
    resume(name: string, options?: CallOptions): Promise<Vm>;
    delete(name: string, options?: CallOptions): Promise<void>;
    /** Pieces of text as they come, not lines. Untrusted bytes from the guest: sanitise before a terminal sees them. */
    logs(name: string, query?: LogQuery): AsyncIterable<string>;
    resize(name: string, size: ResizeVm, options?: CallOptions): Promise<Vm>;
    egress(name: string, options?: CallOptions): Promise<Egress>;
    setEgress(name: string, policy: EgressPolicyInput, options?: CallOptions): Promise<Egress>;
    cdpToken(name: string, body?: { ttl_seconds?: number }, options?: CallOptions): Promise<CdpToken>;
  };
  readonly browser: {
    navigate(name: string, body: v.InferInput<typeof Navigate>, options?: CallOptions): Promise<Navigated>;
    evaluate(name: string, body: v.InferInput<typeof Evaluate>, options?: CallOptions): Promise<Evaluated>;
    content(name: string, body?: v.InferInput<typeof Content>, options?: CallOptions): Promise<PageContent>;
    tabs(name: string, options?: CallOptions): Promise<TabList>;
    /** The image's bytes in the format asked for. */
    screenshot(name: string, body?: v.InferInput<typeof Screenshot>, options?: CallOptions): Promise<Uint8Array>;
    /** Everything else: snapshot, click, wait, cookies, … (docs/http-api.md, Browser). */
    operate<N extends JsonOperation>(
      name: string,
      operation: N,
      body: OperationInput<N>,
      options?: CallOptions,
    ): Promise<OperationOutput<N>>;
    /** Operations whose reply is bytes. */
    operateForBytes<N extends BytesOperation>(
      name: string,
      operation: N,
      body: OperationInput<N>,
      options?: CallOptions,
    ): Promise<Uint8Array>;
  };
  readonly events: {
    list(query?: EventQuery, options?: CallOptions): Promise<EventList>;
    /**
     * Every event after `after` (default: from now on), in order. Reconnects by itself and misses nothing; ends when the signal aborts.
     * A server that refuses (401, 403 …) or that is not there at the first try throws.
     */
    stream(query?: CallOptions & { after?: number }): AsyncIterable<VmEvent>;
  };
  readonly system: {
    status(options?: CallOptions): Promise<SystemStatus>;
    /** What the running VMs do: processor, memory, page. */
    activity(options?: CallOptions): Promise<Activity>;
  };
  /** All of these want a key of scope admin. */
  readonly keys: {
    list(options?: CallOptions): Promise<KeyList>;
    /** The reply is the only one that holds the key itself. */
    create(input: CreateKeyInput, options?: CallOptions): Promise<CreatedKey>;
    /** @param key name or id */
    revoke(key: string, options?: CallOptions): Promise<Key>;
  };
  /** Changing and refused calls, oldest first. Wants a key of scope admin. */
  audit(query?: AuditQuery, options?: CallOptions): Promise<AuditList>;
  readonly images: {
    list(options?: CallOptions): Promise<v.InferOutput<typeof ImageList>>;
    get(id: string, options?: CallOptions): Promise<Image & { manifest: ImageManifest }>;
  };
  /** True when the server answers; needs no key. */
  health(options?: CallOptions): Promise<boolean>;
  /** The server's version; needs a key. */
  version(options?: CallOptions): Promise<string>;
};
