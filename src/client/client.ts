import { treaty } from "@elysiajs/eden/treaty2";
import { ARTIFACT_HEADER } from "../contract/artifact-header.ts";
import type { CreateKey } from "../contract/access.ts";
import { ARCHIVE_TYPE } from "../contract/profile-archive.ts";
import { UPLOAD_SHA256_HEADER } from "../contract/upload-header.ts";
import type { CreateVm } from "../contract/vm.ts";
import type { App } from "../server/app.ts";
import { entryStream } from "./entry-stream.ts";
import { eventStream } from "./event-stream.ts";
import { callError } from "./problem-error.ts";
import { bytesOf, createTransport, textOf } from "./transport.ts";
import type { CallOptions, Client, ConnectOptions, KeepOptions, LogQuery, WaitOptions } from "./types.ts";

export type * from "./types.ts";

/** The client of a hype server. Nothing is sent before the first call. */
export function connect(options: ConnectOptions): Client {
  const base = options.base.replace(/\/$/, "");
  const send = createTransport({ ...options, base });
  const api = treaty<App>(base, {
    // Eden hands over the whole URL; the key and the translation of errors are the transport's.
    fetcher: ((url: string, init: RequestInit) => send(url.slice(base.length), init)) as typeof fetch,
    parseDate: false,
  }).api.v1;
  /** Eden types bodies as the server sees them once defaults are filled in; callers may leave those out. */
  const sent = <Body>(body: unknown) => body as Body;
  /** Eden takes path parameters as they are. */
  const vm = (name: string) => api.vms({ name: encodeURIComponent(name) });
  const artifact = (id: string) => api.artifacts({ id: encodeURIComponent(id) });

  const profile = (name: string) => api.profiles({ profile: encodeURIComponent(name) });

  type Reply<Data> = { data: Data; error: unknown };
  const settled = async <Value>(work: Promise<Value>, signal?: AbortSignal): Promise<Value> => {
    try {
      return await work;
    } catch (thrown) {
      throw callError(thrown, base, signal);
    }
  };
  const unwrap = async <Data>(call: Promise<Reply<Data>>, signal?: AbortSignal): Promise<NonNullable<Data>> => {
    const { data, error } = await settled(call, signal);
    // Whatever the transport threw stands in `value`.
    if (error) throw callError((error as { value?: unknown }).value ?? error, base, signal);
    return data as NonNullable<Data>;
  };
  const init = ({ signal }: CallOptions = {}) => (signal ? { fetch: { signal } } : {});
  const streamed = (response: Response, { signal }: CallOptions = {}) => {
    const length = response.headers.get("content-length");
    return { length: length === null ? null : Number(length), bytes: bytesOf(response, base, signal) };
  };
  const waiting = (call: WaitOptions = {}) => ({
    ...init(call),
    query: call.wait === false ? { wait: "false" as const } : {},
  });
  const text = (value: number | undefined) => (value === undefined ? undefined : String(value));
  const defined = <Query extends object>(query: Query) =>
    Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Query;

  return {
    base,
    vms: {
      list: (query = {}, call) => unwrap(api.vms.get({ ...init(call), query: defined(query) }), call?.signal),
      get: (name, call) => unwrap(vm(name).get({ ...init(call), query: {} }), call?.signal),
      create: (input, call) => unwrap(api.vms.post(sent<CreateVm>(input), waiting(call)), call?.signal),
      start: (name, call) => unwrap(vm(name).start.post(undefined, waiting(call)), call?.signal),
      stop: (name, call = {}) => {
        const { query, ...rest } = waiting(call);
        return unwrap(
          vm(name).stop.post(undefined, {
            ...rest,
            query: { ...query, ...(call.force ? { force: "true" as const } : {}) },
          }),
          call.signal,
        );
      },
      restart: (name, call) => unwrap(vm(name).restart.post(undefined, waiting(call)), call?.signal),
      pause: (name, call) => unwrap(vm(name).pause.post(undefined, { ...init(call), query: {} }), call?.signal),
      resume: (name, call) => unwrap(vm(name).resume.post(undefined, { ...init(call), query: {} }), call?.signal),
      resize: (name, size, call) => unwrap(vm(name).patch(sent(size), { ...init(call), query: {} }), call?.signal),
      delete: async (name, call) => {
        await send(`/api/v1/vms/${encodeURIComponent(name)}`, { method: "DELETE", ...init(call).fetch });
      },
      egress: (name, call) => unwrap(vm(name).egress.get({ ...init(call), query: {} }), call?.signal),
      setEgress: (name, policy, call) =>
        unwrap(vm(name).egress.put(sent(policy), { ...init(call), query: {} }), call?.signal),
      proxy: (name, call) => unwrap(vm(name).proxy.get({ ...init(call), query: {} }), call?.signal),
      setProxy: (name, proxy, call) =>
        unwrap(
          proxy === null
            ? vm(name).proxy.delete(undefined, { ...init(call), query: {} })
            : vm(name).proxy.put(sent(proxy), { ...init(call), query: {} }),
          call?.signal,
        ),
      logs: (name, query) => logs(name, query),
      shell: async (name, request, call) =>
        (await import("./shell.ts")).openShell({ ...options, base, send }, name, request, call?.signal),
      cdpToken: (name, body = {}, call) =>
        unwrap(vm(name)["cdp-token"].post(sent(body), { ...init(call), query: {} }), call?.signal),
    },
    browser: {
      entries: (name, query = {}) => entryStream(send, base, name, query),
      navigate: (name, body, call) =>
        unwrap(vm(name).browser.navigate.post(sent(body), { ...init(call), query: {} }), call?.signal),
      evaluate: (name, body, call) =>
        unwrap(vm(name).browser.evaluate.post(sent(body), { ...init(call), query: {} }), call?.signal),
      content: (name, body = {}, call) =>
        unwrap(vm(name).browser.content.post(sent(body), { ...init(call), query: {} }), call?.signal),
      tabs: (name, call) => unwrap(vm(name).browser.tabs.get({ ...init(call), query: {} }), call?.signal),
      screenshot: async (name, body = {}, call) => {
        const response = await operate(name, "screenshot", body, call);
        return new Uint8Array(await settled(response.arrayBuffer(), call?.signal));
      },
      operate: async (name, operation, body, call) =>
        (await settled((await operate(name, operation, body, call)).json(), call?.signal)) as never,
      upload: async (name, fileName, body, { sha256, ...call } = {}) => {
        const response = await send(
          `/api/v1/vms/${encodeURIComponent(name)}/browser/uploads/${encodeURIComponent(fileName)}`,
          {
            method: "PUT",
            headers: {
              "content-type": "application/octet-stream",
              ...(sha256 === undefined ? {} : { [UPLOAD_SHA256_HEADER]: sha256 }),
            },
            body,
            duplex: "half",
            ...init(call).fetch,
          } as RequestInit,
        );
        return (await settled(response.json(), call.signal)) as never;
      },
      download: async (name, id, { from = 0, ...call } = {}) => {
        const response = await send(
          `/api/v1/vms/${encodeURIComponent(name)}/browser/downloads/${encodeURIComponent(id)}`,
          { ...(from > 0 && { headers: { range: `bytes=${from}-` } }), ...init(call).fetch },
        );
        return streamed(response, call);
      },
      recording: async (name, id, call = {}) => {
        const path = `/api/v1/vms/${encodeURIComponent(name)}/browser/recordings/${encodeURIComponent(id)}`;
        const response = await send(path, init(call).fetch);
        return streamed(response, call);
      },
      operateForBytes: async (name, operation, body, call) =>
        new Uint8Array(await settled((await operate(name, operation, body, call)).arrayBuffer(), call?.signal)),
      keepDownload: async (name, id, { keepAs, ...call } = {}) => {
        const query = new URLSearchParams(defined({ keep_as: keepAs }) as Record<string, string>);
        const path = `/api/v1/vms/${encodeURIComponent(name)}/browser/downloads/${encodeURIComponent(id)}/keep?${query}`;
        const response = await send(path, { method: "POST", ...init(call).fetch });
        return (await settled(response.json(), call.signal)) as never;
      },
    },
    artifacts: {
      list: ({ limit, ...query } = {}, call) =>
        unwrap(api.artifacts.get({ ...init(call), query: defined({ ...query, limit: text(limit) }) }), call?.signal),
      get: (id, call) => unwrap(artifact(id).get({ ...init(call), query: {} }), call?.signal),
      content: async (id, call) => {
        const response = await send(`/api/v1/artifacts/${encodeURIComponent(id)}/content`, init(call).fetch);
        return {
          length: Number(response.headers.get("content-length")),
          bytes: bytesOf(response, base, call?.signal),
        };
      },
      delete: async (id, call) => {
        await send(`/api/v1/artifacts/${encodeURIComponent(id)}`, { method: "DELETE", ...init(call).fetch });
      },
    },
    live: {
      links: (name, call) => unwrap(vm(name)["live-links"].get({ ...init(call), query: {} }), call?.signal),
      createLink: (name, body = {}, call) =>
        unwrap(vm(name)["live-links"].post(sent(body), { ...init(call), query: {} }), call?.signal),
      revokeLink: (id, call) =>
        unwrap(
          api["live-links"]({ id: encodeURIComponent(id) }).delete(undefined, { ...init(call), query: {} }),
          call?.signal,
        ),
      control: (name, { wait, timeout_seconds } = {}, call) =>
        unwrap(
          vm(name).control.get({
            ...init(call),
            query: defined({ wait, timeout_seconds: text(timeout_seconds) }) as object,
          }),
          call?.signal,
        ),
      setControl: (name, body, call) =>
        unwrap(vm(name).control.post(sent(body), { ...init(call), query: {} }), call?.signal),
    },
    events: {
      list: ({ after, limit, ...query } = {}, call) =>
        unwrap(
          api.events.get({ ...init(call), query: defined({ ...query, after: text(after), limit: text(limit) }) }),
          call?.signal,
        ),
      stream: ({ after, signal, onConnection } = {}) => eventStream(send, base, after ?? null, signal, onConnection),
    },
    profiles: {
      list: (call) => unwrap(api.profiles.get({ ...init(call), query: {} }), call?.signal),
      get: (name, call) => unwrap(profile(name).get({ ...init(call), query: {} }), call?.signal),
      save: (input, call) => unwrap(api.profiles.post(sent(input), { ...init(call), query: {} }), call?.signal),
      import: (name, input, call) =>
        unwrap(profile(name).state.put(sent(input), { ...init(call), query: {} }), call?.signal),
      export: async (name, call) => {
        const path = `/api/v1/profiles/${encodeURIComponent(name)}/state`;
        return await settled((await send(path, init(call).fetch)).bytes(), call?.signal);
      },
      exportArchive: async (name, call) => {
        const response = await send(`/api/v1/profiles/${encodeURIComponent(name)}/archive`, init(call).fetch);
        return streamed(response, call);
      },
      importArchive: async (name, body, { replace = false, ...call } = {}) => {
        const path = `/api/v1/profiles/${encodeURIComponent(name)}/archive${replace ? "?replace=true" : ""}`;
        const headers = { "content-type": ARCHIVE_TYPE };
        const response = await send(path, {
          method: "PUT",
          headers,
          body,
          duplex: "half",
          ...init(call).fetch,
        } as RequestInit);
        return (await settled(response.json(), call.signal)) as never;
      },
      delete: async (name, call) => {
        await send(`/api/v1/profiles/${encodeURIComponent(name)}`, { method: "DELETE", ...init(call).fetch });
      },
      rotateKey: (call) =>
        unwrap(api.profiles["rotate-key"].post(undefined, { ...init(call), query: {} }), call?.signal),
    },
    keys: {
      list: (call) => unwrap(api.keys.get({ ...init(call), query: {} }), call?.signal),
      create: (input, call) =>
        unwrap(api.keys.post(sent<CreateKey>(input), { ...init(call), query: {} }), call?.signal),
      revoke: (key, call) =>
        unwrap(
          api.keys({ key: encodeURIComponent(key) }).delete(undefined, { ...init(call), query: {} }),
          call?.signal,
        ),
    },
    audit: ({ after, limit, ...query } = {}, call) =>
      unwrap(
        api.audit.get({ ...init(call), query: defined({ ...query, after: text(after), limit: text(limit) }) }),
        call?.signal,
      ),
    system: {
      status: (call) => unwrap(api.system.status.get({ ...init(call), query: {} }), call?.signal),
      activity: (call) => unwrap(api.system.activity.get({ ...init(call), query: {} }), call?.signal),
    },
    images: {
      list: (call) => unwrap(api.images.get({ ...init(call), query: {} }), call?.signal),
      get: (id, call) =>
        unwrap(api.images({ id: encodeURIComponent(id) }).get({ ...init(call), query: {} }), call?.signal),
    },
    health: async (call) => (await send("/healthz", init(call).fetch)).ok,
    version: async (call) => (await unwrap(api.system.status.get({ ...init(call), query: {} }), call?.signal)).version,
  };

  async function operate(
    name: string,
    operation: string,
    body: unknown,
    { keep, keepAs, onKept, ...call }: KeepOptions = {},
  ): Promise<Response> {
    const query = new URLSearchParams(defined({ keep: keep?.toString(), keep_as: keepAs }) as Record<string, string>);
    const asked = query.size > 0 ? `?${query}` : "";
    const response = await send(`/api/v1/vms/${encodeURIComponent(name)}/browser/${operation}${asked}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...init(call).fetch,
    });
    const kept = response.headers.get(ARTIFACT_HEADER);
    if (kept !== null) onKept?.(kept);
    return response;
  }

  async function* logs(name: string, { source, tail, follow, signal }: LogQuery = {}): AsyncGenerator<string> {
    const query = new URLSearchParams();
    if (source) query.set("source", source);
    if (tail !== undefined) query.set("tail", String(tail));
    if (follow) query.set("follow", "true");
    const response = await send(
      `/api/v1/vms/${encodeURIComponent(name)}/logs?${query}`,
      init({ ...(signal && { signal }) }).fetch,
    );
    yield* textOf(response, base, signal);
  }
}
