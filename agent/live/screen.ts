import {
  type Commands,
  CommandRefused,
  type Connection,
  type Events,
  type Params,
  type Result,
} from "../cdp/connection.ts";
import { HypeError } from "../../src/contract/index.ts";
import { Cast } from "./cast.ts";

/** Why a screen ended. */
export type Gone = "tab_closed" | "browser_gone";

/**
 * One tab as those see it who watch: a session of our own beside the automation's, which shares nothing with it. Chromium draws every tab
 * of a headless browser whether it is in front or not, so that watching one changes nothing for the others (measured, version 156).
 */
export class Screen {
  readonly cast: Cast;
  readonly gone: Promise<Gone>;
  #dialogUsers = 0;
  #dialog: Events["Page.javascriptDialogOpening"][0] | null = null;
  #onDialog = new Set<() => void>();
  #stops: (() => void)[] = [];

  constructor(
    private readonly connection: Connection,
    readonly tab: string,
    readonly sessionId: string,
  ) {
    const { promise, resolve } = Promise.withResolvers<Gone>();
    this.gone = promise;
    void connection.closed.then(() => resolve("browser_gone"));
    this.#stops.push(
      connection.on("Target.detachedFromTarget", (event) => event.sessionId === sessionId && resolve("tab_closed")),
      this.on("Page.javascriptDialogOpening", (event) => this.#setDialog(event)),
      this.on("Page.javascriptDialogClosed", () => this.#setDialog(null)),
    );
    this.cast = new Cast(this);
    this.#stops.push(
      this.on("Inspector.targetCrashed", () => this.cast.noteRenderer(false)),
      this.on("Inspector.targetReloadedAfterCrash", () => this.cast.noteRenderer(true)),
    );
    void this.tell("Inspector.enable", undefined); // of a tab that is dead already it says so
  }

  /** @throws as {@link Connection.send} */
  async send<M extends keyof Commands>(
    method: M,
    params: Params<M>,
    signal?: AbortSignal,
    sessionId = this.sessionId,
  ): Promise<Result<M>> {
    return await this.connection.send(method, params, { sessionId, ...(signal ? { signal } : {}) });
  }

  /** One more session of the tab, for what is to end with it. @throws as {@link Connection.send} */
  async attach(): Promise<string> {
    return (await this.connection.send("Target.attachToTarget", { targetId: this.tab, flatten: true })).sessionId;
  }

  detach(sessionId: string): void {
    this.connection.send("Target.detachFromTarget", { sessionId }).catch(() => {}); // it is gone
  }

  /** Without an answer: what fails because the tab went away shows in {@link Screen.gone}. */
  async tell<M extends keyof Commands>(method: M, params: Params<M>): Promise<void> {
    await this.send(method, params).catch(() => {});
  }

  on<E extends keyof Events>(
    event: E,
    listener: (params: Events[E][0]) => void,
    sessionId = this.sessionId,
  ): () => void {
    return this.connection.on(event, listener, sessionId);
  }

  /** The dialog that stands on the page, while {@link Screen.holdDialogs} lasts. */
  get dialog() {
    return this.#dialog;
  }

  onDialog(listener: () => void): () => void {
    this.#onDialog.add(listener);
    return () => void this.#onDialog.delete(listener);
  }

  /**
   * From now on dialogs wait for an answer. Only for those who act: without it Chromium dismisses them, or a DevTools client that
   * asked for them answers, and merely watching must not change that.
   * @returns a function that ends it; Chromium then dismisses a dialog that is open.
   */
  holdDialogs(): () => void {
    if (this.#dialogUsers++ === 0) void this.tell("Page.enable", undefined);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#dialogUsers > 0) return;
      void this.tell("Page.disable", undefined);
      this.#setDialog(null);
    };
  }

  /** @throws HypeError `dialog_not_found` */
  async answerDialog(accept: boolean, promptText: string | undefined): Promise<void> {
    try {
      await this.send("Page.handleJavaScriptDialog", { accept, ...(promptText !== undefined && { promptText }) });
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      throw new HypeError(
        "dialog_not_found",
        "no dialog is open: somebody else may have answered it",
        {},
        { cause: thrown },
      );
    }
  }

  end(): void {
    this.cast.end();
    for (const stop of this.#stops) stop();
    this.detach(this.sessionId);
  }

  #setDialog(dialog: Events["Page.javascriptDialogOpening"][0] | null): void {
    this.#dialog = dialog;
    for (const listener of this.#onDialog) listener();
  }
}
