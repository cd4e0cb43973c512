import * as v from "valibot";
import {
  AgentEvent,
  AgentHealth,
  ClosedTab,
  type Content,
  type Evaluate,
  Evaluated,
  HypeError,
  type Identity,
  type Navigate,
  Navigated,
  OpenedTab,
  type OnTab,
  type OpenTab,
  PageContent,
  type Proxy,
  type Revisit,
  type Screenshot,
  TabList,
  TabState,
} from "../contract/index.ts";
import { readEvents } from "./events.ts";
import { ask, type GuestReply, parseReply } from "./http.ts";
import { GuestDownloads } from "./downloads.ts";
import { GuestObserve } from "./observe.ts";
import { GuestOverlay } from "./overlay.ts";
import { GuestPage } from "./page.ts";
import { GuestProfile } from "./profile.ts";
import { putProxy } from "./proxy.ts";
import { GuestRecordings } from "./recording.ts";
import { GuestState } from "./state.ts";
import { GuestUploads } from "./uploads.ts";

const SHORT_MS = 10_000;
/** Added to what an operation may take in the guest: the way there and back, and a guest that is slow to notice. */
const SLACK_MS = 10_000;
const SMALL_BYTES = 1024 * 1024;
/** 16 million characters, in JSON at worst six bytes each; a full-page image. */
const LARGE_BYTES = 128 * 1024 * 1024;

export type ScreenshotBytes = { bytes: Uint8Array<ArrayBuffer>; contentType: string };

/**
 * The server's end of the wire to the agent in one VM. All methods throw the agent's own HypeError (navigation_failed, …), or
 * `guest_unreachable` with the cause when nothing sensible answers, or `cancelled` when the caller's signal aborts.
 */
export class Guest {
  /** What is seen on a page and done to it. */
  readonly page = new GuestPage((...operation) => this.#operation(...operation));
  /** Cookies and storage. */
  readonly state = new GuestState((...operation) => this.#operation(...operation));
  /** Console, requests, sockets, dialogs. */
  readonly observe: GuestObserve;
  readonly downloads: GuestDownloads;
  readonly recordings: GuestRecordings;
  readonly uploads: GuestUploads;
  /** The files of the browser's profile. */
  readonly profile: GuestProfile;
  /** Emulation and interception. */
  readonly overlay = new GuestOverlay((...operation) => this.#operation(...operation));

  /** @param endpoint `http://HOST:PORT` of the agent's door as the host reaches it; never anything the guest reported. */
  constructor(
    readonly endpoint: string,
    readonly token: string,
  ) {
    this.observe = new GuestObserve((...operation) => this.#operation(...operation), endpoint, token);
    this.downloads = new GuestDownloads((...operation) => this.#operation(...operation), endpoint, token);
    this.recordings = new GuestRecordings((...operation) => this.#operation(...operation), endpoint, token);
    this.profile = new GuestProfile(endpoint, token);
    this.uploads = new GuestUploads((...operation) => this.#operation(...operation), endpoint, token);
  }

  health(signal?: AbortSignal): Promise<AgentHealth> {
    return this.#get("/v1/health", AgentHealth, SHORT_MS, signal);
  }

  /** Long poll: resolves once Chromium is usable. @throws HypeError `operation_timeout` when it is not in time. */
  ready(timeoutMs: number, signal?: AbortSignal): Promise<AgentHealth> {
    const path = `/v1/ready?timeout_ms=${Math.max(1, Math.round(timeoutMs))}`;
    return this.#get(path, AgentHealth, timeoutMs + SLACK_MS, signal);
  }

  /** The browser's state now, then each change, until the signal aborts. @throws HypeError `guest_unreachable` when the wire is lost. */
  events(signal: AbortSignal): AsyncIterable<AgentEvent> {
    return readEvents(this.endpoint, this.token, signal);
  }

  async navigate(request: Navigate, signal?: AbortSignal): Promise<Navigated> {
    return parseReply(Navigated, await this.#operation("navigate", request, SMALL_BYTES * 8, signal));
  }

  async reload(request: Revisit, signal?: AbortSignal): Promise<Navigated> {
    return parseReply(Navigated, await this.#operation("reload", request, SMALL_BYTES * 8, signal));
  }

  /** @throws HypeError `history_end` */
  async back(request: Revisit, signal?: AbortSignal): Promise<Navigated> {
    return parseReply(Navigated, await this.#operation("back", request, SMALL_BYTES * 8, signal));
  }

  /** @throws HypeError `history_end` */
  async forward(request: Revisit, signal?: AbortSignal): Promise<Navigated> {
    return parseReply(Navigated, await this.#operation("forward", request, SMALL_BYTES * 8, signal));
  }

  async stop(request: OnTab, signal?: AbortSignal): Promise<TabState> {
    return parseReply(TabState, await this.#operation("stop", request, SMALL_BYTES * 8, signal));
  }

  async evaluate(request: Evaluate, signal?: AbortSignal): Promise<Evaluated> {
    return parseReply(Evaluated, await this.#operation("evaluate", request, LARGE_BYTES, signal));
  }

  /** The image's bytes as Chromium made them; the type is the one asked for, not what the guest claims. */
  async screenshot(request: Screenshot, signal?: AbortSignal): Promise<ScreenshotBytes> {
    const { bytes } = await this.#operation("screenshot", request, LARGE_BYTES, signal);
    return { bytes, contentType: `image/${request.format}` };
  }

  async content(request: Content, signal?: AbortSignal): Promise<PageContent> {
    return parseReply(PageContent, await this.#operation("content", request, LARGE_BYTES, signal));
  }

  tabs(signal?: AbortSignal): Promise<TabList> {
    return this.#get("/v1/browser/tabs", TabList, 2 * SHORT_MS, signal, LARGE_BYTES);
  }

  /** A tab whose page cannot be opened does not stay. */
  async openTab(request: OpenTab, signal?: AbortSignal): Promise<OpenedTab> {
    return parseReply(OpenedTab, await this.#operation("tabs", request, SMALL_BYTES * 8, signal));
  }

  async activateTab(request: OnTab, signal?: AbortSignal): Promise<TabState> {
    return parseReply(TabState, await this.#operation("tabs/activate", request, SMALL_BYTES * 8, signal));
  }

  async closeTab(request: OnTab, signal?: AbortSignal): Promise<ClosedTab> {
    return parseReply(ClosedTab, await this.#operation("tabs/close", request, SMALL_BYTES, signal));
  }

  /** After a new token was accepted this object no longer opens the door: make another one. */
  async identity(identity: Identity, signal?: AbortSignal): Promise<void> {
    await this.#ask("POST", "/v1/identity", SHORT_MS, SMALL_BYTES, signal, identity);
  }

  /** What the browser goes through from now on. @returns whether Chromium was restarted for it: its tabs are gone then. */
  setProxy(proxy: Proxy | null, signal?: AbortSignal): Promise<boolean> {
    return putProxy(this.endpoint, this.token, proxy, signal);
  }

  /** Returns when the agent agreed; the machine is off a moment later. */
  async powerOff(signal?: AbortSignal): Promise<void> {
    await this.#ask("POST", "/v1/power-off", SHORT_MS, SMALL_BYTES, signal);
  }

  async logs(source: "agent" | "chromium", signal?: AbortSignal): Promise<string> {
    const { bytes } = await this.#ask("GET", `/v1/logs?source=${source}`, SHORT_MS, SMALL_BYTES, signal);
    return new TextDecoder().decode(bytes);
  }

  /**
   * A DevTools discovery document as Chromium gives it. Addresses in it name the agent's door and are to be replaced, not dialled.
   * @param path `/json/version`, `/json/list`, `/json/new?URL` (PUT), …
   */
  async cdpJson(path: string, method: "GET" | "PUT" = "GET", signal?: AbortSignal): Promise<GuestReply> {
    if (!/^\/json(?:\/[A-Za-z0-9-]+){0,2}\/?(?:\?[\x21-\x7e]*)?$/.test(path))
      throw new HypeError("not_found", `there is no ${path}`);
    return this.#ask(method, path, 2 * SHORT_MS, LARGE_BYTES, signal);
  }

  /**
   * Where the server's relay connects for a DevTools socket, and the headers it must send.
   * @param path `/devtools/browser` (whatever browser runs now), `/devtools/browser/ID` or `/devtools/page/ID`
   * @throws HypeError `not_found` for any other path
   */
  cdpSocket(path: string): { url: string; headers: { authorization: string } } {
    if (!/^\/devtools\/(browser|(browser|page)\/[A-Za-z0-9-]{1,64})$/.test(path))
      throw new HypeError("not_found", `there is no ${path}`);
    return {
      url: this.endpoint.replace(/^http/, "ws") + path,
      headers: { authorization: `Bearer ${this.token}` },
    };
  }

  #operation(
    name: string,
    request: { timeout_ms: number },
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<GuestReply> {
    return this.#ask("POST", `/v1/browser/${name}`, request.timeout_ms + SLACK_MS, maxBytes, signal, request);
  }

  async #get<T>(
    path: string,
    schema: v.GenericSchema<unknown, T>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    maxBytes = SMALL_BYTES,
  ): Promise<T> {
    return parseReply(schema, await this.#ask("GET", path, timeoutMs, maxBytes, signal));
  }

  #ask(
    method: "GET" | "POST" | "PUT",
    path: string,
    timeoutMs: number,
    maxBytes: number,
    signal?: AbortSignal,
    body?: unknown,
  ): Promise<GuestReply> {
    return ask(this.endpoint, this.token, { method, path, timeoutMs, maxBytes, signal, body });
  }
}
