import type { Protocol } from "devtools-protocol";
import { HypeError, type LiveMessage } from "../../src/contract/index.ts";
import { ATTACH_FRAMES } from "../cdp/attach-frames.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { Screen } from "./screen.ts";

const PATIENCE_MS = 10_000;
/** To the page, nobody chose anything: as the browser's own dialog says it when it is closed. */
const CANCEL = `function () { this.dispatchEvent(new Event("cancel", { bubbles: true })) }`;

type Opened = Protocol.Page.FileChooserOpenedEvent;
type Wanted = { id: string; sessionId: string; frameId: string; node: number; isMultiple: boolean };

/**
 * What a page opens when it wants files. Chromium without a window shows no dialog and lets nobody choose; here a person is asked, while
 * one acts. In a session of our own: Playwright and others who wait for the same hear of it as before (measured, version 156).
 */
export class FileChoosers {
  #wanted: Wanted | null = null;
  #held: { ready: Promise<void>; over: AbortController } | null = null;

  constructor(
    private readonly screen: Screen,
    private readonly tell: (message: LiveMessage) => void,
  ) {}

  /** From now on, until {@link FileChoosers.release}; resolves when it is so, or when the tab is gone. Harmless twice. */
  hold(): Promise<void> {
    if (this.#held) return this.#held.ready;
    const over = new AbortController();
    const ready = this.#attach(over.signal).catch(() => {}); // the tab is gone
    this.#held = { ready, over };
    return ready;
  }

  async #attach(over: AbortSignal): Promise<void> {
    const sessionId = await this.screen.attach();
    if (over.aborted) return this.screen.detach(sessionId);
    over.addEventListener("abort", () => this.screen.detach(sessionId));
    await this.#follow(sessionId, over);
  }

  /** Also the documents that live in processes of their own: their sessions end with this one. */
  async #follow(sessionId: string, over: AbortSignal): Promise<void> {
    const stops = [
      this.screen.on("Page.fileChooserOpened", (event) => void this.#opened(sessionId, event), sessionId),
      this.screen.on("Page.frameNavigated", ({ frame }) => this.#left(sessionId, frame), sessionId),
      this.screen.on(
        "Target.attachedToTarget",
        (inner) => void this.#follow(inner.sessionId, over).catch(() => {}), // the frame is gone
        sessionId,
      ),
    ];
    over.addEventListener("abort", () => stops.forEach((stop) => stop()));
    await Promise.all([
      this.screen.send("Page.enable", undefined, over, sessionId),
      this.screen.send("Page.setInterceptFileChooserDialog", { enabled: true }, over, sessionId),
      this.screen.send("Target.setAutoAttach", ATTACH_FRAMES, over, sessionId),
    ]);
  }

  async #opened(sessionId: string, { frameId, mode, backendNodeId: node }: Opened): Promise<void> {
    if (node === undefined) return; // no input field: the page's own call for files, which DevTools cannot answer
    const wanted = { id: crypto.randomUUID(), sessionId, frameId, node, isMultiple: mode === "selectMultiple" };
    this.#wanted = wanted;
    const attributes = await this.#attributesOf(wanted).catch(() => new Map<string, string>());
    if (this.#wanted !== wanted) return;
    this.tell({
      type: "files_wanted",
      wanted: {
        chooser: wanted.id,
        multiple: wanted.isMultiple,
        folder: attributes.has("webkitdirectory"),
        accept: (attributes.get("accept") ?? "").slice(0, 1_024),
      },
    });
  }

  async #attributesOf({ sessionId, node }: Wanted): Promise<Map<string, string>> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const described = await this.screen.send("DOM.describeNode", { backendNodeId: node }, signal, sessionId);
    const list = described.node.attributes ?? [];
    return new Map(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? ""] as const] : [])));
  }

  /** The document that wanted files is no more. */
  #left(sessionId: string, frame: Protocol.Page.Frame): void {
    if (this.#wanted?.sessionId !== sessionId) return;
    if (frame.id === this.#wanted.frameId || frame.parentId === undefined) this.#over();
  }

  /**
   * @param paths nothing: whoever was asked chose nothing
   * @throws HypeError `dialog_not_found` | `invalid_request`
   */
  async answer(chooser: string, paths: string[]): Promise<void> {
    const wanted = this.#wanted;
    if (wanted?.id !== chooser)
      throw new HypeError("dialog_not_found", "the page does not wait for these files any more; let it ask again");
    if (paths.length > 1 && !wanted.isMultiple)
      throw new HypeError("invalid_request", `the page asks for one file, not for ${paths.length}`);
    this.#over();
    try {
      if (paths.length > 0) await this.#give(wanted, paths);
      else await this.#cancel(wanted);
    } catch (thrown) {
      if (!(thrown instanceof CommandRefused)) throw thrown;
      throw new HypeError("dialog_not_found", "the field the page asked for is gone", {}, { cause: thrown });
    }
  }

  async #give({ sessionId, node }: Wanted, files: string[]): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    await this.screen.send("DOM.setFileInputFiles", { files, backendNodeId: node }, signal, sessionId);
  }

  async #cancel({ sessionId, node }: Wanted): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { object } = await this.screen.send("DOM.resolveNode", { backendNodeId: node }, signal, sessionId);
    if (object.objectId === undefined) return;
    const call = { functionDeclaration: CANCEL, objectId: object.objectId };
    await this.screen.send("Runtime.callFunctionOn", call, signal, sessionId);
  }

  #over(): void {
    if (!this.#wanted) return;
    this.#wanted = null;
    this.tell({ type: "files_wanted", wanted: null });
  }

  /** Nobody acts: Chromium does again what it does by itself. */
  release(): void {
    this.#over();
    this.#held?.over.abort();
    this.#held = null;
  }
}

/** Lets go of files over a point of the page, as if they had been dragged there. @throws CommandRefused when the tab is gone */
export async function dropFiles(
  screen: Screen,
  at: { x: number; y: number; modifiers: number },
  files: string[],
): Promise<void> {
  const data = { items: [], files, dragOperationsMask: 1 }; // copy
  const signal = AbortSignal.timeout(PATIENCE_MS);
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await screen.send("Input.dispatchDragEvent", { type, ...at, data }, signal);
}
