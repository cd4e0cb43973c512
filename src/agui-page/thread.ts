import type { AgentSubscriber } from "@ag-ui/client";
import { byId, element } from "./element.ts";

const PICTURES = new Set(["image/png", "image/jpeg", "image/webp"]);
type Part = { type: string; text?: string; source?: { type: string; value: string; mimeType?: string } };

/** Shows a run as it goes on: what is said, each step with its call, how far it is, and its result. */
export class Thread {
  readonly #entries = byId("entries");
  readonly #steps = new Map<string, HTMLElement>();
  readonly #calls = new Map<string, HTMLElement>();
  readonly #texts = new Map<string, HTMLElement>();
  #step: HTMLElement | null = null;

  add(className: string, text = ""): HTMLLIElement {
    const entry = element("li", className, text);
    this.#entries.append(entry);
    entry.scrollIntoView({ block: "nearest" });
    return entry;
  }

  subscriber(): AgentSubscriber {
    return {
      onStepStartedEvent: ({ event: { stepName } }) => {
        this.#step = this.add("step");
        this.#step.append(element("strong", "", stepName));
        this.#steps.set(stepName, this.#step);
      },
      onStepFinishedEvent: ({ event: { stepName } }) => {
        this.#steps.get(stepName)?.classList.add("done");
        this.#step = null;
      },
      onTextMessageStartEvent: ({ event: { messageId } }) => void this.#texts.set(messageId, this.add("said")),
      onTextMessageContentEvent: ({ event: { messageId, delta } }) => this.#grow(this.#texts.get(messageId), delta),
      onReasoningMessageStartEvent: ({ event: { messageId } }) => void this.#texts.set(messageId, this.add("thought")),
      onReasoningMessageContentEvent: ({ event: { messageId, delta } }) =>
        this.#grow(this.#texts.get(messageId), delta),
      onToolCallStartEvent: ({ event: { toolCallId, toolCallName } }) => {
        const call = element("code", "", `${toolCallName} `);
        (this.#step ?? this.add("step")).append(call);
        this.#calls.set(toolCallId, call);
      },
      onToolCallArgsEvent: ({ event: { toolCallId, delta } }) => this.#grow(this.#calls.get(toolCallId), delta),
      onToolCallResultEvent: ({ event: { content } }) => {
        for (const part of typeof content === "string" ? [{ type: "text", text: content }] : (content as Part[]))
          this.#result(part);
      },
      onActivitySnapshotEvent: ({ event: { messageId, content } }) => this.#progress(messageId, content),
      onActivityDeltaEvent: ({ event: { messageId, patch }, messages }) => {
        const known = messages.find(({ id }) => id === messageId)?.content;
        const changed = Object.fromEntries(
          patch.flatMap((change) => ("value" in change ? [[change.path.slice(1), change.value]] : [])),
        );
        this.#progress(messageId, { ...(known as object | undefined), ...changed });
      },
      onRunErrorEvent: ({ event: { message } }) => void this.add("failed", message),
    };
  }

  /** Asks a person. Resolves with their word. */
  question(text: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const entry = this.add("question", text);
    const row = element("div");
    for (const [label, className, answer] of [
      ["Approve", "approve", true],
      ["Decline", "quiet decline", false],
    ] as const) {
      const button = element("button", className, label);
      button.addEventListener("click", () => {
        row.remove();
        resolve(answer);
      });
      row.append(button);
    }
    entry.append(row);
    row.querySelector("button")?.focus();
    return promise;
  }

  #grow(entry: HTMLElement | undefined, delta: string): void {
    entry?.append(delta);
    entry?.scrollIntoView({ block: "nearest" });
  }

  #result({ type, text, source }: Part): void {
    const step = this.#step ?? this.add("step");
    if (type === "text" && text) step.append(element("pre", "", text));
    if (type !== "image" || source?.type !== "data" || !PICTURES.has(source.mimeType ?? "")) return;
    const picture = element("img");
    picture.alt = "Screenshot of the page";
    picture.src = `data:${source.mimeType};base64,${source.value}`;
    step.append(picture);
    picture.decode().then(
      () => picture.scrollIntoView({ block: "nearest" }),
      () => {},
    );
  }

  #progress(id: string, { phase, percent }: Record<string, unknown>): void {
    const known = document.getElementById(id);
    const holder = known ?? element("div");
    if (!known) {
      holder.id = id;
      (this.#step ?? this.add("step")).append(holder);
    }
    const bar = element("progress");
    bar.max = 100;
    if (typeof percent === "number") bar.value = percent;
    holder.replaceChildren(
      element("code", "", String(phase ?? "")),
      ...(phase === "done" || phase === "failed" ? [] : [bar]),
    );
  }
}
