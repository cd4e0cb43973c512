import {
  type Choices,
  type ControlCommand,
  HypeError,
  type LiveMessage,
  LIMITS,
  type Tab,
} from "../../src/contract/index.ts";
import { mustBeAllowed } from "../browser/navigate.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Emulation } from "../emulation/emulation.ts";
import { choose, openChoices } from "./choices.ts";
import { Controls } from "./controls.ts";
import { CursorShape } from "./cursor.ts";
import { dropFiles, FileChoosers } from "./file-choosers.ts";
import type { HandedFiles } from "./handed-files.ts";
import type { Screen } from "./screen.ts";
import { copySelection } from "./selection.ts";

const TABS_MS = 10_000;
const HISTORY_MS = 10_000;
/** Input that a page has not taken by then is not waited for before what follows it. */
const SETTLE_MS = 1_000;
/** A page that can still run scripts takes input this soon, even under software emulation. */
const STUCK_MS = 1_500;
const MAX_COPIED = LIMITS.body_bytes / 4;
const LOADED = `document.readyState === "complete" || new Promise((done) => addEventListener("load", done, { once: true }))`;

type Command<T extends ControlCommand["type"]> = Extract<ControlCommand, { type: T }>;
export type HandsParts = {
  browser: Browser;
  emulation: Pick<Emulation, "holdViewport">;
  handed: HandedFiles;
};
type Told = {
  failed(thrown: unknown): void;
  tell(message: LiveMessage): void;
  loading(isLoading: boolean): void;
};

/** What a watcher who holds control does to the tab it watches. Everything taken hold of is let go by {@link Hands.release}. */
export class Hands {
  readonly #controls: Controls;
  readonly #cursor: CursorShape;
  readonly #choosers: FileChoosers;
  #releaseDialogs: (() => void) | null = null;
  #isResized = false;
  #loads = 0;
  #touched = { x: 0, y: 0 };
  #clicks = 0;
  #hasChoices = false;

  constructor(
    private readonly parts: HandsParts,
    private readonly screen: Screen,
    private readonly told: Told,
  ) {
    this.#controls = new Controls(screen, (thrown) => told.failed(thrown));
    this.#cursor = new CursorShape(screen, (message) => told.tell(message));
    this.#choosers = new FileChoosers(screen, (message) => told.tell(message));
  }

  /** @param tabs as they were listed last @throws HypeError `tab_not_found` | `url_not_allowed` | `history_end` | `dialog_not_found` | `upload_not_found` */
  async do(command: ControlCommand, tabs: Tab[]): Promise<void> {
    if (command.type === "release") return this.release();
    if (!this.#releaseDialogs) {
      this.#releaseDialogs = this.screen.holdDialogs();
      const held = this.#choosers.hold();
      // What opens a chooser may be the first thing that is done; a page that is busy is not waited for.
      if (command.type !== "dialog") await Promise.race([held, Bun.sleep(SETTLE_MS)]);
    }
    if (command.type !== "mouse" || command.action !== "move") this.screen.cast.expect();
    switch (command.type) {
      case "mouse":
        this.#controls.mouse(command);
        this.#cursor.moved(command);
        if (command.action === "up" && command.button === "left") void this.#lookForPicker(command);
        return;
      case "key":
        return this.#controls.key(command);
      case "touch":
        this.#controls.touch(command);
        if (command.points.length > 0) this.#touched = command.points[0]!;
        else if (command.action === "end") void this.#lookForPicker(this.#touched);
        return;
      case "text":
        return this.#controls.text(command.text);
      case "copy":
        await this.#controls.settled(SETTLE_MS);
        return this.told.tell({ type: "clipboard", text: await copySelection(this.screen, command.cut, MAX_COPIED) });
      case "navigate":
        mustBeAllowed(command.url);
        await this.#endRunawayScript();
        return this.#navigate(command.url);
      case "history":
        // Not waited for either, see there.
        return void this.#history(command).catch((thrown: unknown) => this.told.failed(thrown));
      case "tabs":
        return this.#tabs(command, tabs);
      case "resize":
        this.#isResized = command.size !== null;
        await this.parts.emulation.holdViewport(this.screen.tab, command.size);
        return this.screen.cast.renew(); // a picture taken while the viewport changed may have been lost
      case "choose":
        this.#tellChoices(null);
        return choose(this.screen, command);
      case "files":
        return this.#choosers.answer(command.chooser, this.#handed(command));
      case "drop":
        return this.#drop(command);
      case "dialog":
        return this.screen.answerDialog(command.accept, command.prompt_text);
    }
  }

  #handed({ batch = "", names }: { batch?: string | undefined; names: string[] }): string[] {
    return names.length === 0 ? [] : this.parts.handed.paths(batch, names);
  }

  async #drop({ batch, names, x, y, modifiers }: Command<"drop">): Promise<void> {
    const files = this.#handed({ batch, names });
    await this.#controls.settled(SETTLE_MS);
    await dropFiles(this.screen, { x, y, modifiers }, files);
  }

  /** Not waited for: a page takes a click when it can. */
  async #lookForPicker(point: { x: number; y: number }): Promise<void> {
    const click = ++this.#clicks;
    await this.#controls.settled(SETTLE_MS);
    if (this.screen.dialog || click !== this.#clicks) return;
    const choices = await openChoices(this.screen, point);
    if (click === this.#clicks) this.#tellChoices(choices);
  }

  #tellChoices(choices: Choices | null): void {
    if (choices === null && !this.#hasChoices) return;
    this.#hasChoices = choices !== null;
    this.told.tell({ type: "choices", choices });
  }

  /** Keys, buttons, dialogs and the viewport are nobody's again. */
  release(): void {
    this.#clicks += 1;
    if (this.#hasChoices) void choose(this.screen, { type: "choose" }).catch(() => {}); // the tab is gone
    this.#tellChoices(null);
    this.#controls.release();
    this.#cursor.release();
    this.#choosers.release();
    this.#releaseDialogs?.();
    this.#releaseDialogs = null;
    if (!this.#isResized) return;
    this.#isResized = false;
    this.parts.emulation.holdViewport(this.screen.tab, null).then(
      () => this.screen.cast.renew(),
      () => {}, // the browser is gone
    );
  }

  /** The tab has another page: says that it loads, and when it has. */
  followLoading(): void {
    const load = ++this.#loads;
    this.told.loading(true);
    const ended = () => load === this.#loads && this.told.loading(false);
    // Another page in between ends this one's question: it is followed by its own.
    const expression = { expression: LOADED, awaitPromise: true, returnByValue: true };
    void this.screen.send("Runtime.evaluate", expression).then(ended, ended);
  }

  /**
   * The next page may live in the process of this one, and never comes while a script of this one runs in a loop (seen in Chromium).
   * Input tells such a page from one that is being fetched: that one still takes it.
   */
  async #endRunawayScript(): Promise<void> {
    if (this.screen.dialog || !this.#controls.isStuck(STUCK_MS)) return;
    await this.screen.send("Runtime.terminateExecution", undefined, AbortSignal.timeout(SETTLE_MS)).catch(() => {}); // it cannot be helped
  }

  /** Not waited for: while a page is being fetched Chromium answers nothing, and a person may change their mind. */
  #navigate(url: string): void {
    const load = ++this.#loads;
    this.told.loading(true);
    const ended = (thrown: unknown) => {
      if (load === this.#loads) this.told.loading(false);
      this.told.failed(thrown);
    };
    this.screen.send("Page.navigate", { url }).then(({ errorText, isDownload }) => {
      // net::ERR_ABORTED: somebody stopped it, or went somewhere else
      if (errorText && errorText !== "net::ERR_ABORTED")
        ended(new HypeError("navigation_failed", `${url.slice(0, 2_048)}: ${errorText}`));
      else if (isDownload || errorText || load !== this.#loads) this.told.loading(false);
      else this.followLoading();
    }, ended);
  }

  async #history({ direction }: Command<"history">): Promise<void> {
    const signal = AbortSignal.timeout(HISTORY_MS);
    await this.#endRunawayScript();
    if (direction === "stop") return void (await this.screen.send("Page.stopLoading", undefined, signal));
    if (direction === "reload") {
      await this.screen.send("Page.reload", {}, signal);
      return this.followLoading();
    }
    const { entries, currentIndex } = await this.screen.send("Page.getNavigationHistory", undefined, signal);
    const entry = entries[currentIndex + (direction === "back" ? -1 : 1)];
    if (!entry) throw new HypeError("history_end", `the tab has no page to go ${direction} to`);
    await this.screen.send("Page.navigateToHistoryEntry", { entryId: entry.id }, signal);
  }

  async #tabs({ action, tab, url }: Command<"tabs">, known: Tab[]): Promise<void> {
    const { tabs } = this.parts.browser.running;
    const signal = AbortSignal.timeout(TABS_MS);
    if (action === "open") {
      if (url !== undefined) mustBeAllowed(url);
      // Beside the one that is watched: with its logins.
      const context = known.find(({ id }) => id === this.screen.tab)?.context ?? null;
      const opened = await tabs.open(context, false, signal);
      tabs.prefer(opened.tab);
      if (url !== undefined)
        opened.tab.send("Page.navigate", { url }, signal).catch((thrown: unknown) => this.told.failed(thrown));
      return;
    }
    const id = tab ?? this.screen.tab;
    if (!known.some((one) => one.id === id)) throw new HypeError("tab_not_found", `there is no tab ${id}`);
    await (action === "close" ? tabs.close(id, signal) : tabs.activate(id, signal));
  }
}
