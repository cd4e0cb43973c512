import type { Protocol } from "devtools-protocol";
import { type AnswerDialog, type DialogEntry, HypeError, type SetDialogPolicy } from "../../src/contract/index.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";
import type { Layer, Overlay } from "../overlay/overlay.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import type { Journal } from "./journal.ts";
import { clipped } from "./ring.ts";

type Policy = Pick<SetDialogPolicy, "policy" | "prompt_text">;
type Open = { entry: Omit<DialogEntry, "seq">; target: OverlayTarget };
const OWNER = "dialogs";
const MAX_MESSAGE = 16_384;

/**
 * Who answers alert, confirm, prompt and "leave this page?". Without a policy nobody here listens: Chromium dismisses them, or a
 * DevTools client answers. Whoever answers first, has answered.
 */
export class Dialogs implements Layer {
  #all: Policy = { policy: null };
  #ofTab = new Map<string, Policy>();
  #open = new Map<OverlayTarget, Open>();

  constructor(
    private readonly overlay: Overlay,
    private readonly journal: Journal,
  ) {
    overlay.add(this);
  }

  isWanted(): boolean {
    return this.#all.policy !== null || [...this.#ofTab.values()].some(({ policy }) => policy !== null);
  }

  /** Whether dialogs of this tab are answered here, and nobody else shall. */
  holds(tab: string): boolean {
    return this.#of(tab).policy !== null;
  }

  /** The one of this tab that waits for an answer, because the policy is to ask. */
  openIn(tab: string): Open["entry"] | undefined {
    if (this.#of(tab).policy !== "ask") return undefined;
    return [...this.#open.values()].find(({ target }) => target.isTab && target.targetId === tab)?.entry;
  }

  async set({ policy, prompt_text, tab }: SetDialogPolicy): Promise<void> {
    const given: Policy = { policy, ...(prompt_text !== undefined && { prompt_text }) };
    if (tab === undefined) {
      this.#all = given;
      this.#ofTab.clear();
    } else this.#ofTab.set(tab, given);
    await this.overlay.refresh();
    await Promise.allSettled(this.overlay.targets.flatMap((target) => this.attach(target)));
    for (const { entry, target } of this.#open.values()) this.#obey(target, entry);
  }

  /** @throws HypeError `dialog_not_found` */
  async answer({ id, accept, prompt_text }: AnswerDialog): Promise<void> {
    const found = [...this.#open.values()].find(({ entry }) => entry.id === id);
    if (!found) throw new HypeError("dialog_not_found", `no dialog ${id} is open`);
    await this.#handle(found.target, accept, prompt_text);
  }

  attach(target: OverlayTarget): Promise<unknown>[] {
    if (!target.isTab) return [];
    if (this.holds(target.targetId)) return [target.enable("Page", OWNER)];
    target.disable("Page", OWNER);
    return [];
  }

  detach(target: OverlayTarget, isGone: boolean): void {
    this.#closed(target, false);
    if (target.isTab && isGone) this.#ofTab.delete(target.targetId);
  }

  forgetTabs(): void {
    this.#ofTab.clear();
  }

  connected(connection: Connection, find: (sessionId: string | undefined) => OverlayTarget | undefined): void {
    connection.on("Page.javascriptDialogOpening", (event, sessionId) => {
      const target = find(sessionId);
      if (target?.isTab && this.holds(target.targetId)) this.#opened(target, event);
    });
    connection.on("Page.javascriptDialogClosed", ({ result }, sessionId) => {
      const target = find(sessionId);
      if (target) this.#closed(target, result);
    });
  }

  #opened(target: OverlayTarget, event: Protocol.Page.JavascriptDialogOpeningEvent): void {
    const entry: Open["entry"] = {
      id: this.journal.id("d"),
      tab: target.targetId,
      time: Date.now(),
      kind: "dialog",
      state: "open",
      type: event.type,
      message: clipped(event.message, MAX_MESSAGE),
      default_prompt: clipped(event.defaultPrompt ?? "", MAX_MESSAGE),
      url: clipped(event.url, 2_048),
    };
    this.#open.set(target, { entry, target });
    this.journal.record(entry);
    this.#obey(target, entry);
  }

  #obey(target: OverlayTarget, entry: Open["entry"]): void {
    const { policy, prompt_text } = this.#of(target.targetId);
    if (policy === "ask") return;
    // Without a policy any more: as Chromium would have done, but nobody is kept from leaving.
    const accept = policy === "accept" || (policy === null && entry.type === "beforeunload");
    this.#handle(target, accept, prompt_text).catch(() => {}); // somebody else answered first
  }

  #closed(target: OverlayTarget, accepted: boolean): void {
    const open = this.#open.get(target);
    if (!open) return;
    this.#open.delete(target);
    this.journal.record({ ...open.entry, state: accepted ? "accepted" : "dismissed" });
  }

  async #handle(target: OverlayTarget, accept: boolean, promptText: string | undefined): Promise<void> {
    try {
      await target.send("Page.handleJavaScriptDialog", { accept, ...(promptText !== undefined && { promptText }) });
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      this.#closed(target, false);
      throw new HypeError("dialog_not_found", `the dialog was answered by somebody else: ${thrown.detail}`);
    }
  }

  #of(tab: string): Policy {
    return this.#ofTab.get(tab) ?? this.#all;
  }
}
