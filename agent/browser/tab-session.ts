import { HypeError } from "../../src/contract/index.ts";
import {
  CommandRefused,
  type Commands,
  type Connection,
  type Events,
  type Params,
  type Result,
} from "../cdp/connection.ts";
import { Input } from "../act/input.ts";
import { DocumentGone, type FrameSession } from "./document.ts";
import { Frames } from "./frames.ts";

/** Chromium's word on commands for a tab that is gone. */
const NO_SESSION = /^Session with given id not found/;

/** A tab we are attached to. Our session stays: only a session older than a page's endless loop can end that loop. */
export class TabSession {
  #crashed = false;
  #dialogOpen = false;
  #users = new Map<string, number>(); // domain -> how many need it enabled
  readonly frames = new Frames(this);
  #hands: Input | undefined;

  constructor(
    private readonly connection: Connection,
    readonly id: string,
    private readonly sessionId: string,
  ) {
    this.on("Inspector.targetCrashed", () => this.crashed());
    this.on("Inspector.targetReloadedAfterCrash", () => (this.#crashed = false));
    this.on("Page.javascriptDialogOpening", () => (this.#dialogOpen = true));
    this.on("Page.javascriptDialogClosed", () => {
      this.#dialogOpen = false;
      if (this.#users.get("Page") === 0) this.#disable("Page");
    });
  }

  /** The browser may say it before the session does. */
  crashed(): void {
    this.#crashed = true;
  }

  /** @throws as {@link Connection.send} */
  async send<M extends keyof Commands>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
    // Chromium leaves most commands to a dead renderer unanswered.
    if (this.#crashed && method !== "Page.navigate")
      throw new HypeError("tab_crashed", `the renderer of tab ${this.id} died`, { tab: this.id });
    try {
      return await this.connection.send(method, params, { sessionId: this.sessionId, ...(signal ? { signal } : {}) });
    } catch (thrown) {
      if (thrown instanceof CommandRefused && NO_SESSION.test(thrown.detail))
        throw new HypeError("tab_not_found", "the tab was closed", { tab: this.id }, { cause: thrown });
      throw thrown;
    }
  }

  /** Waits no longer than the tab and the signal last. @throws as {@link Connection.wait} */
  wait<T>(signal: AbortSignal, begin: (resolve: (value: T) => void) => void): Promise<T> {
    return this.connection.wait({ sessionId: this.sessionId, signal }, begin);
  }

  /** Another's promise, no longer than the tab and the signal last. */
  within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return this.connection.wait(
      { sessionId: this.sessionId, signal },
      (resolve, reject) => void promise.then(resolve, reject),
    );
  }

  on<E extends keyof Events>(event: E, listener: (params: Events[E][0]) => void): () => void {
    return this.connection.on(event, listener, this.sessionId);
  }

  /** Mouse and keyboard. Every tab of a headless Chromium has the focus for its own: none must be brought to the front. */
  get hands(): Input {
    return (this.#hands ??= new Input(this));
  }

  /** A session of a frame that lives in a process of its own. Its end is no end of the tab. */
  sibling(sessionId: string): FrameSession & Pick<TabSession, "on"> {
    return {
      send: async (method, params, signal) => {
        try {
          return await this.connection.send(method, params, { sessionId, ...(signal ? { signal } : {}) });
        } catch (thrown) {
          if (thrown instanceof CommandRefused && NO_SESSION.test(thrown.detail))
            throw new DocumentGone(thrown.message);
          if (thrown instanceof HypeError && (thrown.code === "tab_not_found" || thrown.code === "tab_crashed"))
            throw new DocumentGone(thrown.message);
          throw thrown;
        }
      },
      on: (event, listener) => this.connection.on(event, listener, sessionId),
    };
  }

  /**
   * Has the tab report navigations, loading and dialogs until released. Only while we need it: dialogs of a page that nobody
   * observes are dismissed by Chromium itself, and those of a page that others observe are theirs.
   * Nothing is waited for: while a navigation hangs Chromium answers no other command, and only the next navigation ends it.
   */
  observe(signal: AbortSignal): () => void {
    const release = [this.use("Page", signal), this.use("Network", signal)];
    this.send("Page.setLifecycleEventsEnabled", { enabled: true }, signal).catch(() => {}); // the tab's fault shows in what follows
    return () => release.forEach((stop) => stop());
  }

  /** Keeps a domain's events coming until released; it is disabled again when nobody uses it any more. Nothing is waited for. */
  use(domain: "Page" | "Network", signal?: AbortSignal): () => void {
    const params = domain === "Network" ? { maxTotalBufferSize: 0, maxResourceBufferSize: 0 } : undefined;
    const users = (step: number) => {
      const count = (this.#users.get(domain) ?? 0) + step;
      this.#users.set(domain, count);
      return count;
    };
    if (users(1) === 1) this.send(`${domain}.enable`, params, signal).catch(() => users(0)); // the tab's fault shows in what follows
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (users(-1) === 0) this.#disable(domain);
    };
  }

  /** Not while a dialog is open: Chromium would dismiss it, and it is somebody's to answer. */
  #disable(domain: "Page" | "Network"): void {
    if (domain === "Page" && this.#dialogOpen) return;
    this.send(`${domain}.disable`, undefined).catch(() => {}); // the tab is gone
  }

  /** Gives a crashed tab a new renderer; nothing to do for a living one. */
  async revive(signal: AbortSignal): Promise<void> {
    if (!this.#crashed) return;
    let stop = () => {};
    const reloaded = this.wait<void>(signal, (resolve) => {
      stop = this.on("Inspector.targetReloadedAfterCrash", () => resolve());
    });
    try {
      // The answer as well: another navigation ordered before this one has arrived may be lost.
      const navigated = this.send("Page.navigate", { url: "about:blank" }, signal).catch(() => {}); // its failure shows as the caller's timeout
      await Promise.all([reloaded, navigated]);
    } finally {
      stop();
    }
  }

  /** Address and title as the browser process knows them: no script of the page is asked. */
  async info(signal: AbortSignal): Promise<{ url: string; title: string }> {
    for (;;) {
      try {
        const { entries, currentIndex } = await this.send("Page.getNavigationHistory", undefined, signal);
        const entry = entries[currentIndex];
        return { url: entry?.url ?? "", title: entry?.title ?? "" };
      } catch (thrown) {
        // Between a renderer's commit and the browser's: "Not attached to an active page", for a moment.
        if (!(thrown instanceof CommandRefused)) throw thrown;
        await Bun.sleep(2);
      }
    }
  }
}
