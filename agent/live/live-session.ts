import * as v from "valibot";
import {
  type ControlCommand,
  type ErrorCode,
  HypeError,
  LiveCommand,
  type LiveFrame,
  type LiveMessage,
  messageOf,
  type Tab,
  type WatchCommand,
} from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { Downloads } from "../downloads/downloads.ts";
import type { Picture, Viewer } from "./cast.ts";
import { Hands, type HandsParts } from "./hands.ts";
import { OwnDownloads } from "./own-downloads.ts";
import type { Screen } from "./screen.ts";
import type { Screens } from "./screens.ts";
import { TabWatch } from "./tab-watch.ts";

/** No watcher gets more pictures: a person sees no difference, and the page is to have the processor. */
const MIN_INTERVAL_MS = 33;
/** Chromium tells of new addresses but not of new titles (measured, version 156): they are looked up so often while somebody watches. */
const TITLES_MS = 1_000;
/** A title that is set as the page has loaded is known to the browser a moment later. */
const LOADED_TITLE_MS = 100;
const DIALOGS = ["alert", "confirm", "prompt", "beforeunload"] as const;

type Watch = Extract<WatchCommand, { type: "watch" }>;
/** Where messages and pictures go. */
export type Outlet = { tell(message: LiveMessage): void; show(head: LiveFrame, jpeg: Buffer): void };
export type LiveParts = HandsParts & { screens: Screens; downloads: Downloads };

/**
 * One watcher: follows a tab, sends pictures of it no faster than they are acknowledged, and carries out what it is told, in order.
 */
export class LiveSession {
  #watch: Watch | null = null;
  #tabs: Tab[] = [];
  #front: string | null = null; // a tab that the followed one opened
  #at: { screen: Screen; release: () => void; stopDialogs: () => void; hands: Hands } | null = null;
  #looking: { watch: Watch; screen: Screen; leave: () => void } | null = null;
  readonly #onListed = Promise.withResolvers<void>();
  #moving: Promise<void> = this.#onListed.promise; // before that there is nowhere to go
  #queue: Promise<void> = Promise.resolve();
  #frame = 0;
  #acknowledged = 0;
  #shownAt = -Infinity;
  readonly #titles: ReturnType<typeof setInterval>;
  #loading = new Set<string>();
  #toldTabs = "";
  #isListed = false;
  #ended = false;
  readonly #tabWatch: TabWatch;
  readonly #downloads: OwnDownloads;

  constructor(
    private readonly parts: LiveParts,
    private readonly out: Outlet,
  ) {
    this.#tabWatch = new TabWatch(parts.browser, (tabs, openers) => this.#listed(tabs, openers));
    this.#downloads = new OwnDownloads(parts.downloads, (message) => out.tell(message));
    this.#titles = setInterval(() => this.#watch && this.#tabWatch.refresh(), TITLES_MS);
  }

  /** One message as it came. What cannot be understood or done is told, and nothing else happens. */
  take(message: string): void {
    let value: unknown;
    try {
      value = JSON.parse(message);
    } catch {
      return this.#fail(new HypeError("invalid_request", "the message is not JSON"));
    }
    const parsed = v.safeParse(LiveCommand, value);
    if (!parsed.success) {
      const issues = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "message"}: ${issue.message}`);
      return this.#fail(new HypeError("invalid_request", issues.join("; ")));
    }
    const command = parsed.output;
    switch (command.type) {
      case "watch":
        return this.#change(command);
      case "pause":
        return this.#change(null);
      case "ack":
        this.#acknowledged = Math.min(Math.max(this.#acknowledged, command.frame), this.#frame);
        return this.#wake();
      case "dialog":
        // Not in the queue: what stands in it may be waiting for just this answer.
        return void this.#act(command);
      default:
        this.#queue = this.#queue.then(() => this.#act(command));
    }
  }

  /** Gives back everything; returns at once. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#titles);
    this.#tabWatch.end();
    this.#downloads.stop();
    this.#leave();
  }

  #change(watch: Watch | null): void {
    if (!this.#isListed) return void this.#onListed.promise.then(() => this.#change(watch));
    if (watch?.tab !== undefined && !this.#tabs.some(({ id }) => id === watch.tab))
      return this.#fail(new HypeError("tab_not_found", `there is no tab ${watch.tab}`));
    this.#watch = watch;
    // A watcher that asks anew has forgotten what it was shown.
    this.#acknowledged = this.#frame;
    this.#shownAt = -Infinity;
    if (watch) this.#tabWatch.refresh(); // what has changed while nobody looked
    this.#follow();
  }

  #listed(tabs: Tab[], openers: ReadonlyMap<string, string>): void {
    const current = this.#at?.screen.tab;
    const before = this.#tabs.find(({ id }) => id === current);
    const wasActive = this.#tabs.find(({ active }) => active)?.id;
    this.#tabs = tabs;
    this.parts.handed.keepFor(tabs.map(({ id }) => id));
    this.#isListed = true;
    this.#onListed.resolve();
    const active = tabs.find((tab) => tab.active)?.id;
    const opened = [...openers].find(([id, opener]) => opener === current && tabs.some((tab) => tab.id === id));
    if (opened) this.#front = opened[0];
    else if (active !== wasActive || !tabs.some(({ id }) => id === this.#front)) this.#front = null;
    const now = tabs.find(({ id }) => id === current);
    if (before && now && before.url !== now.url) this.#at?.hands.followLoading();
    this.#follow();
    this.#tellTabs();
  }

  /** Moves to the tab that is to be watched, one move after the other. */
  #follow(): void {
    this.#moving = this.#moving.then(async () => {
      if (this.#ended) return;
      const pinned = this.#tabs.find(({ id }) => id === this.#watch?.tab)?.id;
      const wanted = pinned ?? this.#front ?? this.#tabs.find(({ active }) => active)?.id ?? null;
      try {
        if (wanted !== (this.#at?.screen.tab ?? null)) await this.#move(wanted);
        this.#look(this.#watch);
      } catch (thrown) {
        // A tab that closed on the way: the next list says where to go.
        if (!(thrown instanceof HypeError && thrown.code === "tab_not_found")) this.#fail(thrown);
      }
      this.#tellTabs();
    });
  }

  async #move(tab: string | null): Promise<void> {
    this.#leave();
    if (tab === null) return;
    const { screen, release } = await this.parts.screens.take(tab);
    const hands = new Hands(this.parts, screen, {
      failed: (thrown) => this.#fail(thrown),
      tell: (message) => this.out.tell(message),
      loading: (isLoading) => {
        if (isLoading) this.#loading.add(tab);
        else this.#loading.delete(tab);
        this.#tellTabs();
        if (isLoading) return;
        this.#tabWatch.refresh();
        setTimeout(() => this.#ended || this.#tabWatch.refresh(), LOADED_TITLE_MS);
      },
    });
    const at = { screen, release, stopDialogs: screen.onDialog(() => this.#tellDialog(screen)), hands };
    if (this.#ended) {
      at.stopDialogs();
      return release();
    }
    this.#at = at;
    if (screen.dialog) this.#tellDialog(screen);
    void screen.gone.then(() => {
      if (this.#at !== at) return;
      this.#leave();
      this.#tabWatch.refresh();
    });
  }

  #leave(): void {
    this.#look(null);
    const at = this.#at;
    this.#at = null;
    if (!at) return;
    at.stopDialogs();
    if (at.screen.dialog) this.out.tell({ type: "dialog", dialog: null });
    at.hands.release();
    at.release();
  }

  /** Joins the screencast as the watcher wants it, or leaves it while nobody looks. */
  #look(watch: Watch | null): void {
    const screen = this.#at?.screen;
    if (watch && this.#looking?.watch === watch && this.#looking.screen === screen) return;
    this.#looking?.leave();
    this.#looking = null;
    if (!watch || !screen) return;
    const viewer: Viewer = {
      wanted: { maxWidth: watch.max_width, maxHeight: watch.max_height, quality: watch.quality },
      isReady: () =>
        this.#acknowledged >= this.#frame && performance.now() - this.#shownAt >= MIN_INTERVAL_MS && !this.#ended,
      show: (picture) => this.#show(screen, picture),
    };
    this.#looking = { watch, screen, leave: screen.cast.join(viewer) };
  }

  #show({ tab }: Screen, { jpeg, width, height }: Picture): void {
    this.#shownAt = performance.now();
    this.#frame += 1;
    this.out.show({ frame: this.#frame, tab, format: "jpeg", width, height }, jpeg);
  }

  /** The picture before was acknowledged: the next may come once its time has. */
  #wake(): void {
    const waitMs = this.#shownAt + MIN_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.#at?.screen.cast.wake();
    else setTimeout(() => this.#at?.screen.cast.wake(), Math.ceil(waitMs));
  }

  async #act(command: ControlCommand): Promise<void> {
    try {
      for (let move; move !== this.#moving;) await (move = this.#moving); // one may have followed meanwhile
      if (this.#ended) return;
      if (command.type === "release") this.#downloads.stop();
      else this.#downloads.start();
      if (!this.#at) throw new HypeError("tab_not_found", "there is no tab to act on");
      await this.#at.hands.do(command, this.#tabs);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#ended) return;
    this.out.tell({ type: "error", code: codeOf(thrown), message: messageOf(thrown).slice(0, 2_000) });
  }

  #tellTabs(): void {
    if (this.#ended || !this.#isListed) return;
    const watched = this.#at?.screen.tab ?? null;
    const items = this.#tabs.map(({ id, url, title, active }) => ({
      id,
      url: url.slice(0, 8_192),
      title: title.slice(0, 1_024),
      active,
    }));
    const message = { type: "tabs", watched, loading: watched !== null && this.#loading.has(watched), items } as const;
    const text = JSON.stringify(message);
    if (text === this.#toldTabs) return;
    this.#toldTabs = text;
    this.out.tell(message);
  }

  #tellDialog({ dialog }: Screen): void {
    if (!dialog) return this.out.tell({ type: "dialog", dialog: null });
    const kind = DIALOGS.find((name) => name === dialog.type) ?? "alert";
    const { message, defaultPrompt = "" } = dialog;
    this.out.tell({
      type: "dialog",
      dialog: { kind, message: message.slice(0, 16_384), value: defaultPrompt.slice(0, 16_384) },
    });
  }
}

function codeOf(thrown: unknown): ErrorCode {
  if (thrown instanceof HypeError) return thrown.code;
  if (thrown instanceof CommandRefused) return "invalid_request";
  return thrown instanceof DOMException && thrown.name === "TimeoutError" ? "operation_timeout" : "internal";
}
