import type { Interrupt } from "@ag-ui/core";
import type { AguiOperation, AguiResume } from "../contract/agui.ts";
import { HypeError } from "../contract/index.ts";

/** How long a question may stand unanswered, ms. */
const ANSWER_MS = 15 * 60_000;
/** Questions kept of one key; its own oldest is forgotten first. */
const MOST_OF_KEY = 200;

/** An operation that waits for a person's word, and what was to come after it. */
export type Waiting = {
  operation: AguiOperation;
  /** Of the run that was interrupted. */
  toolCallId: string;
  /** null: the model called, and goes on. */
  rest: AguiOperation[] | null;
  /** `confirm`: it ends something for good. `control`: a person has the browser in hand. `handed`: the operation gave it into their hands. */
  why: "confirm" | "control" | "handed";
  /** What was already said of it: that it is to be done; that it is to be done although a person has control. */
  confirmed: boolean;
  forced: boolean;
};

/** Whose question it is: nobody else's answer counts. */
export type Asker = { caller: string; threadId: string; vm: string | null };

type Kept = Asker & Waiting & { id: string; expiresAtMs: number };

/** The questions that interrupted runs left. In memory: a server that was restarted asks again. */
export class Interrupts {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly clock: () => number = Date.now) {}

  /**
   * @param metadata what the one who answers needs
   * @returns what the reader of the run is told
   */
  ask(asker: Asker, waiting: Waiting, message: string, metadata?: Record<string, unknown>): Interrupt {
    const id = `int-${crypto.randomUUID()}`;
    const expiresAtMs = this.clock() + ANSWER_MS;
    this.#kept.set(id, { ...asker, ...waiting, id, expiresAtMs });
    const theirs = [...this.#kept.values()].filter(({ caller }) => caller === asker.caller);
    for (const [at, kept] of theirs.entries())
      if (at < theirs.length - MOST_OF_KEY || kept.expiresAtMs <= this.clock()) this.#kept.delete(kept.id);
    return {
      id,
      reason: waiting.why === "confirm" ? "overhyped.confirm" : "overhyped.human_control",
      message,
      toolCallId: waiting.toolCallId,
      responseSchema: {
        type: "object",
        properties: {
          approve: { type: "boolean", description: "true: do it" },
          ...(waiting.why === "control"
            ? { force: { type: "boolean", description: "true: go on although a person has control" } }
            : {}),
        },
        required: ["approve"],
      },
      expiresAt: new Date(expiresAtMs).toISOString(),
      ...(metadata ? { metadata } : {}),
    };
  }

  /**
   * The questions that are answered, each once: a second answer finds nothing. Nothing is taken when one of them is unknown.
   * @throws HypeError interrupt_not_found; an unknown one that is cancelled is no fault: there is nothing left to cancel
   */
  take(asker: Asker, answers: readonly AguiResume[]): { answer: AguiResume; waiting: Waiting }[] {
    const found = answers.flatMap((answer, at) => {
      if (answers.findIndex(({ interruptId }) => interruptId === answer.interruptId) !== at) return []; // said twice
      const kept = this.#kept.get(answer.interruptId);
      const isTheirs =
        kept &&
        kept.caller === asker.caller &&
        kept.threadId === asker.threadId &&
        kept.vm === asker.vm &&
        kept.expiresAtMs > this.clock();
      if (isTheirs) return [{ answer, waiting: kept }];
      if (answer.status === "cancelled") return [];
      throw new HypeError("interrupt_not_found", `there is no interrupt ${answer.interruptId} in this thread`, {
        interrupt: answer.interruptId,
      });
    });
    for (const { answer } of found) this.#kept.delete(answer.interruptId);
    return found;
  }

  /** The thread went on without an answer: what it asked is void. */
  drop({ caller, threadId }: Asker): void {
    for (const kept of this.#kept.values())
      if (kept.caller === caller && kept.threadId === threadId) this.#kept.delete(kept.id);
  }
}
