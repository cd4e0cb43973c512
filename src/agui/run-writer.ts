import type {
  ContentPart,
  CustomEvent,
  Event,
  EventType,
  Interrupt,
  JsonPatch,
  RunFinishedOutcome,
  TokenUsage,
} from "@ag-ui/core";

/** Version of the protocol that every run names. */
export const PROTOCOL_VERSION = "1.0";

/** Something that was begun and must be ended: a step, a message, a tool call. Ending it twice is harmless. */
export type Open = { readonly id: string; end(): void };
/** One that grows by pieces. An empty piece is left out. */
export type Growing = Open & { add(delta: string): void };

export type RunIds = { threadId: string; runId: string; parentRunId?: string | null | undefined };
export type Ending = { outcome?: RunFinishedOutcome; result?: unknown };

/**
 * Writes the events of one run in an order that every reader accepts (AG-UI 1.0, "Events"): it begins with RUN_STARTED, nothing is told of
 * what is not open, whatever is open is ended before the run is, and after the run's end nothing is said. Calls that come too late are
 * dropped: the callers are on their way out, too.
 */
export class RunWriter {
  #ended = false;
  #hasState = false;
  #spent: { usage?: TokenUsage[]; metadata?: { usageEstimated: true } } = {};
  /** What is open, oldest first. */
  readonly #open = new Set<Open>();
  readonly #steps = new Set<string>();
  readonly #activities = new Set<string>();

  constructor(
    private readonly ids: RunIds,
    private readonly emit: (event: Event) => void,
  ) {
    const { threadId, runId, parentRunId } = ids;
    this.#tell({
      type: "RUN_STARTED",
      threadId,
      runId,
      protocolVersion: PROTOCOL_VERSION,
      ...(parentRunId ? { parentRunId } : {}),
    });
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Names of open steps are unique: a second one of the same name is numbered. */
  step(name: string): Open {
    let stepName = name;
    for (let nth = 2; this.#steps.has(stepName); nth++) stepName = `${name} (${nth})`;
    this.#steps.add(stepName);
    this.#tell({ type: "STEP_STARTED", stepName });
    return this.#opened(stepName, () => {
      this.#steps.delete(stepName);
      this.#tell({ type: "STEP_FINISHED", stepName });
    });
  }

  text(): Growing {
    const messageId = newId("msg");
    this.#tell({ type: "TEXT_MESSAGE_START", messageId, role: "assistant" });
    const open = this.#opened(messageId, () => this.#tell({ type: "TEXT_MESSAGE_END", messageId }));
    return this.#growing(open, (delta) => this.#tell({ type: "TEXT_MESSAGE_CONTENT", messageId, delta }));
  }

  /** A whole message. */
  say(text: string): void {
    const message = this.text();
    message.add(text);
    message.end();
  }

  reasoning(): Growing {
    const span = newId("span");
    const messageId = newId("msg");
    this.#tell({ type: "REASONING_START", messageId: span });
    this.#tell({ type: "REASONING_MESSAGE_START", messageId, role: "reasoning" });
    const open = this.#opened(messageId, () => {
      this.#tell({ type: "REASONING_MESSAGE_END", messageId });
      this.#tell({ type: "REASONING_END", messageId: span });
    });
    return this.#growing(open, (delta) => this.#tell({ type: "REASONING_MESSAGE_CONTENT", messageId, delta }));
  }

  /** The pieces are those of the arguments' JSON. */
  toolCall(name: string, parentMessageId?: string): Growing {
    const toolCallId = newId("call");
    this.#tell({
      type: "TOOL_CALL_START",
      toolCallId,
      toolCallName: name,
      ...(parentMessageId ? { parentMessageId } : {}),
    });
    const open = this.#opened(toolCallId, () => this.#tell({ type: "TOOL_CALL_END", toolCallId }));
    return this.#growing(open, (delta) => this.#tell({ type: "TOOL_CALL_ARGS", toolCallId, delta }));
  }

  /** May tell of a call of an earlier run: one that was interrupted. */
  toolResult(toolCallId: string, content: string | ContentPart[]): void {
    this.#tell({ type: "TOOL_CALL_RESULT", messageId: newId("msg"), toolCallId, content, role: "tool" });
  }

  state(snapshot: Record<string, unknown>): void {
    this.#hasState = true;
    this.#tell({ type: "STATE_SNAPSHOT", snapshot });
  }

  /** @param delta RFC 6902, against the snapshot and the deltas before; an empty one is left out. */
  stateDelta(delta: JsonPatch): void {
    if (this.#hasState && delta.length > 0) this.#tell({ type: "STATE_DELTA", delta });
  }

  /** Told again under the same id, it takes the place of what was told before. */
  activity(messageId: string, activityType: string, content: Record<string, unknown>): void {
    this.#activities.add(messageId);
    this.#tell({ type: "ACTIVITY_SNAPSHOT", messageId, activityType, content, replace: true });
  }

  activityDelta(messageId: string, activityType: string, patch: JsonPatch): void {
    if (this.#activities.has(messageId) && patch.length > 0)
      this.#tell({ type: "ACTIVITY_DELTA", messageId, activityType, patch });
  }

  /** @param name without the prefix `overhyped.` */
  custom(name: string, value: CustomEvent["value"]): void {
    this.#tell({ type: "CUSTOM", name: `overhyped.${name}`, value });
  }

  /**
   * What a model was asked for so far; the run's last event tells it, whatever that is.
   * @param isEstimated its endpoint counts nothing, at least not all: this is a guess
   */
  spent(usage: TokenUsage, isEstimated: boolean): void {
    this.#spent = { usage: [usage], ...(isEstimated && { metadata: { usageEstimated: true } }) };
  }

  finish({ outcome = { type: "success" }, result }: Ending = {}): void {
    this.#endOpen();
    const { threadId, runId } = this.ids;
    this.#tell({
      type: "RUN_FINISHED",
      threadId,
      runId,
      outcome,
      ...(result === undefined ? {} : { result }),
      ...this.#spent,
    });
    this.#ended = true;
  }

  interrupt(interrupts: Interrupt[], result?: unknown): void {
    this.finish({ outcome: { type: "interrupt", interrupts }, result });
  }

  /** Ends the run by an error of ours. */
  fail(code: string, message: string): void {
    this.#endOpen();
    this.#tell({ type: "RUN_ERROR", code, message, ...this.#spent });
    this.#ended = true;
  }

  /** The newest first: a call stands in its step. */
  #endOpen(): void {
    for (const open of [...this.#open].reverse()) open.end();
  }

  #opened(id: string, close: () => void): Open {
    const open: Open = {
      id,
      end: () => {
        if (this.#open.delete(open)) close();
      },
    };
    this.#open.add(open);
    return open;
  }

  #growing(open: Open, tell: (delta: string) => void): Growing {
    return {
      ...open,
      add: (delta) => {
        if (delta !== "" && this.#open.has(open)) tell(delta);
      },
    };
  }

  /** The package's main entry holds no values: its enumeration is its own names. */
  #tell(event: Told): void {
    if (!this.#ended) this.emit(event as Event);
  }
}

type Told = Event extends infer One
  ? One extends { type: EventType }
    ? Omit<One, "type"> & { type: `${One["type"]}` }
    : never
  : never;

const newId = (kind: string): string => `${kind}-${crypto.randomUUID()}`;
