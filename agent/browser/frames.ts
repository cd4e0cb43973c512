import { HypeError } from "../../src/contract/index.ts";
import { ATTACH_FRAMES } from "../cdp/attach-frames.ts";
import { pause } from "./deadline.ts";
import { DocumentGone, gone, type FrameSession, PageDocument, PageRefusal } from "./document.ts";
import type { TabSession } from "./tabs.ts";

/** Which element an operation means. */
export type Target = { ref?: string | undefined; selector?: string | undefined; frame?: string | undefined };
/** An element in its document: as the page script names it. */
export type Located = { document: PageDocument; target: { ref?: string; selector?: string } };

/** A document that does not let our script in for so long never will. */
const OPEN_TIMEOUT_MS = 60_000;
/** Between two looks at a tab whose document is being replaced. */
const PAUSE_MS = 5;
const REF = /^(f\d+)?e\d+$/;

/**
 * The documents of one tab: of its page, and of the frames in it, in whatever process they live. Each document is numbered when it
 * is first looked into, so that a ref of one never means an element of another.
 */
export class Frames {
  #documents = new Map<string, PageDocument>(); // frame id -> its document, as far as we know
  #byPrefix = new Map<string, PageDocument>();
  #opening = new Map<string, Promise<PageDocument>>();
  #numbered = 0;
  #foreign = new Map<string, { session: FrameSession; sessionId: string }>(); // frames in processes of their own, by frame id
  #attaching: Promise<unknown> | undefined;

  constructor(private readonly tab: TabSession) {}

  /** The page's own document. */
  async main(signal: AbortSignal): Promise<PageDocument> {
    for (;;)
      try {
        return this.#known(this.tab.id) ?? (await this.#open(this.tab.id, this.tab, null, signal));
      } catch (thrown) {
        if (!(thrown instanceof DocumentGone)) throw thrown;
        await pause(PAUSE_MS, signal); // one document was just replaced by the next
      }
  }

  /**
   * The document in a frame, by its element in the document around it.
   * @throws DocumentGone when the frame went away meanwhile
   */
  async inside(outer: PageDocument, ref: string, signal: AbortSignal): Promise<PageDocument> {
    await this.#attach(signal);
    let frameId = outer.frames.get(ref);
    if (!frameId) {
      const objectId = await outer.handle("element", [{ ref }], signal);
      const { node } = await gone(outer.session.send("DOM.describeNode", { objectId }, signal));
      frameId = node.frameId;
      if (!frameId) throw new PageRefusal("element_unsuitable", `${ref} is no frame`, true);
      outer.frames.set(ref, frameId);
    }
    const session = this.#foreign.get(frameId)?.session ?? outer.session;
    const known = this.#known(frameId);
    if (known && known.session === session && known.outer?.document === outer) return known;
    return this.#open(frameId, session, { document: outer, ref }, signal);
  }

  /**
   * The document an element is in, without looking for the element yet.
   * @throws HypeError `stale_ref` | `element_not_found` | `element_unsuitable` | `invalid_request`
   */
  async locate({ ref, selector, frame }: Target, signal: AbortSignal): Promise<Located> {
    if (ref !== undefined) return { document: this.#documentOf(ref), target: { ref } };
    if (selector === undefined) throw new HypeError("invalid_request", "give a ref or a selector");
    if (frame === undefined) return { document: await this.main(signal), target: { selector } };
    const holder = await this.locate(REF.test(frame) ? { ref: frame } : { selector: frame }, signal);
    const held = holder.target.ref ?? (await this.#refOf(holder, signal));
    return { document: await this.inside(holder.document, held, signal), target: { selector } };
  }

  /** A document and what it lies in, from the inside out. */
  static *outwards(document: PageDocument): Generator<{ document: PageDocument; ref: string }> {
    for (let at = document.outer; at; at = at.document.outer) yield at;
  }

  async #refOf({ document, target }: Located, signal: AbortSignal): Promise<string> {
    return document.call("refFor", [target], signal);
  }

  #documentOf(ref: string): PageDocument {
    const prefix = REF.exec(ref)?.[1] ?? "";
    const document = this.#byPrefix.get(prefix);
    if (document && !document.isGone) return document;
    throw staleRef(ref);
  }

  async #open(
    frameId: string,
    session: FrameSession,
    outer: PageDocument["outer"],
    signal: AbortSignal,
  ): Promise<PageDocument> {
    let opening = this.#opening.get(frameId);
    if (!opening) {
      opening = this.#number(frameId, session, outer).finally(() => this.#opening.delete(frameId));
      this.#opening.set(frameId, opening);
    }
    return this.tab.within(opening, signal);
  }

  /** Not under a caller's signal: several may wait for it, and a document must not get two numbers. */
  async #number(frameId: string, session: FrameSession, outer: PageDocument["outer"]): Promise<PageDocument> {
    for (const [old, known] of this.#byPrefix)
      if (known.isGone || known.frameId === frameId) this.#byPrefix.delete(old);
    for (const [id, known] of this.#documents) if (known.isGone) this.#documents.delete(id);
    const prefix = this.#numbered === 0 ? "" : `f${this.#numbered}`;
    this.#numbered += 1;
    const document = await PageDocument.open(frameId, session, prefix, outer, AbortSignal.timeout(OPEN_TIMEOUT_MS));
    this.#documents.set(frameId, document);
    this.#byPrefix.set(prefix, document);
    return document;
  }

  #known(frameId: string): PageDocument | undefined {
    const known = this.#documents.get(frameId);
    return known?.isGone ? undefined : known;
  }

  /** Frames of other sites live in processes of their own, with sessions of their own. */
  async #attach(signal: AbortSignal): Promise<void> {
    this.#attaching ??= this.#follow(this.tab).catch((thrown: unknown) => {
      this.#attaching = undefined; // the next one tries again
      throw thrown;
    });
    await this.tab.within(this.#attaching, signal);
  }

  async #follow(session: FrameSession & Pick<TabSession, "on">): Promise<void> {
    const stop = this.#listen(session);
    try {
      await session.send("Target.setAutoAttach", ATTACH_FRAMES);
    } catch (thrown) {
      stop();
      throw thrown;
    }
  }

  /** @returns a function that stops listening, to it and to the frames in it. */
  #listen(session: Pick<TabSession, "on">): () => void {
    const inner = new Map<string, { frameId: string; stop: () => void }>(); // session id -> the frame it is for
    const end = (sessionId: string) => {
      const ended = inner.get(sessionId);
      if (!ended) return;
      inner.delete(sessionId);
      ended.stop();
      if (this.#foreign.get(ended.frameId)?.sessionId === sessionId) this.#foreign.delete(ended.frameId);
    };
    const stops = [
      session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
        if (targetInfo.type !== "iframe") return;
        const frame = this.tab.sibling(sessionId);
        this.#foreign.set(targetInfo.targetId, { session: frame, sessionId });
        inner.set(sessionId, { frameId: targetInfo.targetId, stop: this.#listen(frame) });
        frame.send("Target.setAutoAttach", ATTACH_FRAMES).catch(() => {}); // it went away again, with all in it
      }),
      session.on("Target.detachedFromTarget", ({ sessionId }) => end(sessionId)),
    ];
    return () => {
      for (const stop of stops) stop();
      for (const sessionId of [...inner.keys()]) end(sessionId);
    };
  }
}

export const staleRef = (ref: string): PageRefusal =>
  new PageRefusal(
    "stale_ref",
    `the page of ref ${ref} is no longer there: take a new snapshot and use a ref from it`,
    true,
  );
