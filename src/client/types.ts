import type * as v from "valibot";
import type {
  Activity,
  Artifact,
  ArtifactKind,
  ArtifactList,
  AuditList,
  CdpToken,
  Content,
  ControlState,
  CreatedLiveLink,
  CreateLiveLinkInput,
  LiveLink,
  LiveLinkList,
  SetControlInput,
  ShellSignal,
  CreatedKey,
  CreateKeyInput,
  CreateVmInput,
  Egress,
  EgressPolicyInput,
  Entry,
  Evaluate,
  Evaluated,
  EventList,
  EventType,
  HypeError,
  ImportedProfile,
  ImportProfile,
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
  Profile,
  ProfileList,
  ProxyInput,
  OpenShellInput,
  ResizeVm,
  RotatedKey,
  SavedProfile,
  SaveProfile,
  Screenshot,
  SystemStatus,
  TabList,
  Upload,
  Vm,
  VmEvent,
  VmList,
  VmProxy,
  VmProxyChanged,
} from "../contract/index.ts";
import type { BrowserOperationName, BrowserOperations } from "../server/browser/operations.ts";

/** `length` is null where the server does not know it. The bytes throw `server_unreachable` when they break off. */
export type ByteStream = { length: number | null; bytes: AsyncIterable<Uint8Array> };
/** One call. Aborting `signal` ends the wait with `cancelled`; it does not undo what the server already does. */
export type CallOptions = { signal?: AbortSignal };
/** `wait: false` returns as soon as the server has noted what is intended. Default: when it is so. */
export type WaitOptions = CallOptions & { wait?: boolean };

/** Of an operation whose result can be kept on the host. */
export type KeepOptions = CallOptions & {
  /** Default: what the VM's policy says. */
  keep?: boolean;
  /** File name to keep it under. */
  keepAs?: string;
  /** Is told the id of the artifact, when there is one. */
  onKept?: (artifact: string) => void;
};
export type ArtifactQuery = { vm?: string; kind?: ArtifactKind; after?: string; limit?: number };

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
export type EventStreamQuery = CallOptions & {
  after?: number;
  /** Is told whenever the stream is open, and when it broke; it is opened again by itself. */
  onConnection?: (state: "open" | "lost", why?: HypeError) => void;
};
export type EntryQuery = CallOptions & { kinds?: readonly string[]; tab?: string; after?: number };
/** Without `after`: the newest. `key`: name or id. */
export type AuditQuery = { after?: number; limit?: number; key?: string; vm?: string };
export type LogQuery = CallOptions & {
  source?: LogSource;
  /** Lines from the end to begin with; default 200. */
  tail?: number;
  /** Keep on reading until the signal aborts or the VM is deleted. */
  follow?: boolean;
};

/** What a command in a guest says: `stream` is 1 for standard output, 2 for standard error. The guest's word: bytes, and nothing to trust. */
export type ShellOutput = { stream: number; bytes: Uint8Array };
/** A command that runs in a guest. */
export type Shell = Disposable & {
  /** Until it has ended; what it ended with is the generator's return value. Each piece counts as taken when the next is asked for. @throws what ended it */
  output(): AsyncGenerator<ShellOutput, number>;
  /** Resolves when there is room for more, or it is over. */
  write(bytes: Uint8Array): Promise<void>;
  /** No more input comes; without a terminal only. */
  end(): void;
  resize(columns: number, rows: number): void;
  signal(name: ShellSignal): void;
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
    /** A command in the guest, or its shell; `signal` ends it. @throws vm_not_running | limit_reached | forbidden … */
    shell(name: string, request: Omit<OpenShellInput, "type">, options?: CallOptions): Promise<Shell>;
    resize(name: string, size: ResizeVm, options?: CallOptions): Promise<Vm>;
    egress(name: string, options?: CallOptions): Promise<Egress>;
    setEgress(name: string, policy: EgressPolicyInput, options?: CallOptions): Promise<Egress>;
    /** The password is masked. */
    proxy(name: string, options?: CallOptions): Promise<VmProxy>;
    /** null: none. */
    setProxy(name: string, proxy: ProxyInput | null, options?: CallOptions): Promise<VmProxyChanged>;
    cdpToken(name: string, body?: { ttl_seconds?: number }, options?: CallOptions): Promise<CdpToken>;
  };
  readonly browser: {
    navigate(name: string, body: v.InferInput<typeof Navigate>, options?: CallOptions): Promise<Navigated>;
    evaluate(name: string, body: v.InferInput<typeof Evaluate>, options?: CallOptions): Promise<Evaluated>;
    content(name: string, body?: v.InferInput<typeof Content>, options?: CallOptions): Promise<PageContent>;
    tabs(name: string, options?: CallOptions): Promise<TabList>;
    /** The image's bytes in the format asked for. */
    screenshot(name: string, body?: v.InferInput<typeof Screenshot>, options?: KeepOptions): Promise<Uint8Array>;
    /** Everything else: snapshot, click, wait, cookies, … (docs/http-api.md, Browser). */
    operate<N extends JsonOperation>(
      name: string,
      operation: N,
      body: OperationInput<N>,
      options?: KeepOptions,
    ): Promise<OperationOutput<N>>;
    /** Puts a file into the guest under that name. Streamed: memory stays flat whatever its size. @param sha256 hex; else nothing is kept. */
    upload(
      name: string,
      fileName: string,
      body: Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
      options?: CallOptions & { sha256?: string },
    ): Promise<Upload>;
    /** A download's bytes as they come, also while it arrives. @param from first byte wanted, of one that is complete */
    download(name: string, id: string, options?: CallOptions & { from?: number }): Promise<ByteStream>;
    /** The film of a recording that has ended, as it comes. */
    recording(name: string, id: string, options?: CallOptions): Promise<ByteStream>;
    /** What is recorded (`start-observing`), as it happens; ends when the signal aborts, throws when the VM goes away. */
    entries(name: string, query?: EntryQuery): AsyncIterable<Entry>;
    /** Operations whose reply is bytes. */
    operateForBytes<N extends BytesOperation>(
      name: string,
      operation: N,
      body: OperationInput<N>,
      options?: KeepOptions,
    ): Promise<Uint8Array>;
    /** Keeps a download on the server's machine. */
    keepDownload(name: string, id: string, options?: CallOptions & { keepAs?: string }): Promise<Artifact>;
  };
  /** What is kept of VMs, also of those that are gone. */
  readonly artifacts: {
    /** Newest first; `next` is the `after` of the next page. */
    list(query?: ArtifactQuery, options?: CallOptions): Promise<ArtifactList>;
    get(id: string, options?: CallOptions): Promise<Artifact>;
    /** Its bytes as they come. */
    content(id: string, options?: CallOptions): Promise<ByteStream>;
    delete(id: string, options?: CallOptions): Promise<void>;
  };
  readonly live: {
    links(name: string, options?: CallOptions): Promise<LiveLinkList>;
    /** The reply is the only one that holds the link's URL. */
    createLink(name: string, body?: CreateLiveLinkInput, options?: CallOptions): Promise<CreatedLiveLink>;
    revokeLink(id: string, options?: CallOptions): Promise<LiveLink>;
    /** `wait`: answers when somebody has control, or nobody has; or when the time is over. */
    control(
      name: string,
      query?: { wait?: "taken" | "returned"; timeout_seconds?: number },
      options?: CallOptions,
    ): Promise<ControlState>;
    setControl(name: string, body: SetControlInput, options?: CallOptions): Promise<ControlState>;
  };
  readonly events: {
    list(query?: EventQuery, options?: CallOptions): Promise<EventList>;
    /**
     * Every event after `after` (default: from now on), in order. Reconnects by itself and misses nothing; ends when the signal aborts.
     * A server that refuses (401, 403 …) or that is not there at the first try throws.
     */
    stream(query?: EventStreamQuery): AsyncIterable<VmEvent>;
  };
  readonly system: {
    status(options?: CallOptions): Promise<SystemStatus>;
    /** What the running VMs do: processor, memory, page. */
    activity(options?: CallOptions): Promise<Activity>;
  };
  /** Logins that are kept on the server, for new VMs. */
  readonly profiles: {
    list(options?: CallOptions): Promise<ProfileList>;
    get(name: string, options?: CallOptions): Promise<Profile>;
    /** From the browser of a running VM. */
    save(input: v.InferInput<typeof SaveProfile>, options?: CallOptions): Promise<SavedProfile>;
    /** From a storageState. */
    import(name: string, input: v.InferInput<typeof ImportProfile>, options?: CallOptions): Promise<ImportedProfile>;
    /** JSON in Playwright's storageState form. */
    export(name: string, options?: CallOptions): Promise<Uint8Array>;
    /** The files of a whole profile: tar, compressed by Zstandard. */
    exportArchive(name: string, options?: CallOptions): Promise<ByteStream>;
    /** Such an archive. Streamed: memory stays flat whatever its size. @param replace in place of the content of one of that name */
    importArchive(
      name: string,
      body: Blob | ReadableStream<Uint8Array>,
      options?: CallOptions & { replace?: boolean },
    ): Promise<Profile>;
    delete(name: string, options?: CallOptions): Promise<void>;
    /** Wants a key of scope admin. */
    rotateKey(options?: CallOptions): Promise<RotatedKey>;
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
