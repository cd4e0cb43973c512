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
/** Its word on commands that a dead renderer did not take, once there is another. */
const CRASHED = /^Target crashed/;
/** Carried out by the browser process, so that a dead tab takes them; and what gives it its next renderer. True: answered by it, too. */
const FOR_THE_DEAD: { [method in keyof Commands]?: boolean } = {
  "Page.navigate": true,
  "Page.navigateToHistoryEntry": true,
  "Page.getNavigationHistory": true,
  "Page.reload": false,
};
/** A page that can still run scripts answers this soon, even under software emulation; a dead one is told of as soon. */
const STILL_ALIVE_MS = 2_000;
type Domain = "Page" | "Network";

/** A tab we are attached to. Our session stays: only a session older than a page's endless loop can end that loop. */
export class TabSession {
  #crashed = false;
  #deaths = 0;
  #dialog: { type: string; message: string } | undefined;
  #users = new Map<Domain, number>(); // how many need it enabled
  readonly frames = new Frames(this);
  #hands: Input | undefined;

  constructor(
    private readonly connection: Connection,
    readonly id: string,
    private readonly sessionId: string,
  ) {
    this.on("Inspector.targetCrashed", () => {
      this.#crashed = true;
      this.#deaths += 1;
      this.#dialog = undefined;
    });
    this.on("Inspector.targetReloadedAfterCrash", () => this.#revived());
    this.#tell("Inspector.enable", undefined); // of a tab that is dead already it says so
    this.on("Page.javascriptDialogOpening", ({ type, message }) => (this.#dialog = { type, message }));
    this.on("Page.javascriptDialogClosed", () => {
      this.#dialog = undefined;
      if (this.#users.get("Page") === 0) this.#disable("Page");
    });
  }

  /** The dialog that is open, where we were listening when it opened. */
  get dialog(): { type: string; message: string } | undefined {
    return this.#dialog;
  }

  /** Renderers that died and have a successor. */
  get survived(): number {
    return this.#crashed ? this.#deaths - 1 : this.#deaths;
  }

  /** @throws as {@link Connection.send} */
  async send<M extends keyof Commands>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
    // Chromium leaves most commands to a dead renderer unanswered.
    if (this.#crashed && !(method in FOR_THE_DEAD)) throw this.#died();
    const outlivesCrash = FOR_THE_DEAD[method] === true;
    const options = { sessionId: this.sessionId, outlivesCrash, ...(signal ? { signal } : {}) };
    try {
      return await this.connection.send(method, params, options);
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      if (CRASHED.test(thrown.detail)) throw this.#died(thrown);
      if (NO_SESSION.test(thrown.detail))
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
    this.#tell("Page.setLifecycleEventsEnabled", { enabled: true }, signal);
    return () => release.forEach((stop) => stop());
  }

  /** Keeps a domain's events coming until released; it is disabled again when nobody uses it any more. Nothing is waited for. */
  use(domain: Domain, signal?: AbortSignal): () => void {
    const users = (step: number) => {
      const count = (this.#users.get(domain) ?? 0) + step;
      this.#users.set(domain, count);
      return count;
    };
    if (users(1) === 1) this.#enable(domain, signal);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (users(-1) === 0) this.#disable(domain);
    };
  }

  #enable(domain: Domain, signal?: AbortSignal): void {
    const params = domain === "Network" ? { maxTotalBufferSize: 0, maxResourceBufferSize: 0 } : undefined;
    this.#tell(`${domain}.enable`, params, signal);
  }

  /** Not while a dialog is open: Chromium would dismiss it, and it is somebody's to answer. */
  #disable(domain: Domain): void {
    if (domain === "Page" && this.#dialog) return;
    this.#tell(`${domain}.disable`, undefined);
  }

  /** The new renderer was told nothing of what the dead one left unanswered. */
  #revived(): void {
    this.#crashed = false;
    for (const [domain, count] of this.#users) if (count > 0) this.#enable(domain);
    if (this.#users.get("Page")) this.#tell("Page.setLifecycleEventsEnabled", { enabled: true });
  }

  /** Without an answer, and to a dead tab too: the browser process has its part in it. The tab's fault shows in what follows. */
  #tell<M extends keyof Commands>(method: M, params: Params<M>, signal?: AbortSignal): void {
    this.connection.send(method, params, { sessionId: this.sessionId, ...(signal ? { signal } : {}) }).catch(() => {});
  }

  #died(cause?: unknown): HypeError {
    return new HypeError("tab_crashed", `the renderer of tab ${this.id} died`, { tab: this.id }, { cause });
  }

  /** Renderers that died so far; one that is dying just now is waited for, a short time. */
  async deaths(signal: AbortSignal): Promise<number> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(STILL_ALIVE_MS)]);
    await this.send("Runtime.evaluate", { expression: "0" }, patience).catch(() => signal.throwIfAborted());
    return this.#deaths;
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
