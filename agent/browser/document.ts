import { type ErrorCode, HypeError, isErrorCode } from "../../src/contract/index.ts";
import { CommandRefused, type Commands, type Params, type Result } from "../cdp/connection.ts";
import { MARKDOWN_SCRIPT, PAGE_SCRIPT, type PageMethods, WORLD } from "./page-script.ts";

/** Where a frame's commands go: the tab's own session, or that of the process a foreign frame lives in. */
export type FrameSession = {
  send<M extends keyof Commands>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
};

/** What Chromium says of an object whose document is gone. */
const GONE =
  /Cannot find context|Could not find object|Execution context was destroyed|Inspected target navigated|No frame|Frame .*not found|context with specified id|Promise was collected/i;

/** The document is not the one it was: it was navigated away, or its frame was removed. */
export class DocumentGone extends Error {}

/** The page says no, for now or (`final`) for good. */
export class PageRefusal extends HypeError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly final: boolean,
  ) {
    super(code, message);
  }

  /** As the page script tells it; its words are the page's, its code must be one of ours. */
  static of({ code, message, final }: { code: string; message: string; final: boolean }): PageRefusal {
    return new PageRefusal(isErrorCode(code) ? code : "evaluation_failed", message, final);
  }
}

/** One document, and our script in it. It is known by an object of ours, which no other document can pass for. */
export class PageDocument {
  /** Frames in it by the ref of their element. */
  readonly frames = new Map<string, string>();

  #isGone = false;

  private constructor(
    readonly frameId: string,
    readonly session: FrameSession,
    readonly prefix: string,
    /** The document around it and the ref of the frame's element there. */
    readonly outer: { document: PageDocument; ref: string } | null,
    private readonly objectId: string,
  ) {}

  /** @throws DocumentGone, and as the session's send */
  static async open(
    frameId: string,
    session: FrameSession,
    prefix: string,
    outer: PageDocument["outer"],
    signal: AbortSignal,
  ): Promise<PageDocument> {
    const { executionContextId } = await gone(
      session.send("Page.createIsolatedWorld", { frameId, worldName: WORLD }, signal),
    );
    const { result } = await gone(
      session.send("Runtime.evaluate", { expression: PAGE_SCRIPT, contextId: executionContextId }, signal),
    );
    if (!result.objectId) throw new DocumentGone();
    const opened = new PageDocument(frameId, session, prefix, outer, result.objectId);
    await opened.call("setPrefix", [prefix], signal);
    return opened;
  }

  /**
   * Calls one of the page script's methods.
   * @throws DocumentGone | PageRefusal | HypeError `evaluation_failed` when the page's own nature defeats the script
   */
  async call<M extends keyof PageMethods>(
    method: M,
    args: Parameters<PageMethods[M]>,
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<PageMethods[M]>>> {
    const { result, exceptionDetails } = await this.#run(
      "function(name,args){return this.run(name,args)}",
      [{ value: method }, { value: args }],
      true,
      signal,
    );
    if (exceptionDetails) throw thrownByPage(exceptionDetails.exception?.description ?? exceptionDetails.text);
    const answer = result.value as
      { value: Awaited<ReturnType<PageMethods[M]>> } | { refused: { code: string; message: string; final: boolean } };
    if ("refused" in answer) throw PageRefusal.of(answer.refused);
    return answer.value;
  }

  /**
   * Markdown of the document or a part of it; its length where that is above `maxChars`.
   * The maker travels with the call: as code of ours the page's policy against `eval` does not concern it.
   * @throws as {@link PageDocument.call}
   */
  async markdown(
    readable: boolean,
    target: { ref?: string; selector?: string } | null,
    maxChars: number,
    signal: AbortSignal,
  ): Promise<string | number> {
    const { result, exceptionDetails } = await this.#run(
      `function(readable,target,max){const element=target&&this.handle("element",[target]);
        if(typeof element==="string")return {refused:JSON.parse(element)};
        const {markdown}=(${MARKDOWN_SCRIPT})(readable,element);
        return {value:markdown.length>max?markdown.length:markdown}}`,
      [{ value: readable }, { value: target }, { value: maxChars }],
      true,
      signal,
    );
    if (exceptionDetails) throw thrownByPage(exceptionDetails.exception?.description ?? exceptionDetails.text);
    if (result.value.refused) throw PageRefusal.of(result.value.refused);
    return result.value.value as string | number;
  }

  /** A handle on an element, for commands that want one. @throws as {@link PageDocument.call} */
  async handle(method: "element" | "fileInput", args: unknown[], signal: AbortSignal): Promise<string> {
    const { result, exceptionDetails } = await this.#run(
      "function(name,args){return this.handle(name,args)}",
      [{ value: method }, { value: args }],
      false,
      signal,
    );
    if (exceptionDetails) throw thrownByPage(exceptionDetails.exception?.description ?? exceptionDetails.text);
    if (!result.objectId) throw PageRefusal.of(JSON.parse(String(result.value)));
    return result.objectId;
  }

  /** Whether it, or a document around it, was found gone. */
  get isGone(): boolean {
    return this.#isGone || this.outer?.document.isGone === true;
  }

  async #run(functionDeclaration: string, args: { value: unknown }[], returnByValue: boolean, signal: AbortSignal) {
    try {
      return await gone(
        this.session.send(
          "Runtime.callFunctionOn",
          { objectId: this.objectId, functionDeclaration, arguments: args, returnByValue, awaitPromise: true },
          signal,
        ),
      );
    } catch (thrown) {
      this.#isGone ||= thrown instanceof DocumentGone;
      throw thrown;
    }
  }
}

/** @throws DocumentGone where Chromium means that */
export async function gone<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (thrown) {
    if (thrown instanceof CommandRefused && GONE.test(thrown.detail)) throw new DocumentGone(thrown.detail);
    throw thrown;
  }
}

const thrownByPage = (description: string) =>
  new HypeError("evaluation_failed", `the page could not be read: ${description.slice(0, 2_000)}`);
