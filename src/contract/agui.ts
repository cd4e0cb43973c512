import * as v from "valibot";

/** What a caller sends to start a run of AG-UI 1.0 (https://docs.ag-ui.com, RunAgentInput). Its wire is camelCase; unknown fields are let by. */
const id = v.pipe(v.string(), v.minLength(1, "must not be empty"), v.maxLength(256, "must be at most 256 characters"));
const text = v.string();

export const AguiMessage = v.looseObject({
  id: v.optional(v.string()),
  role: v.picklist(["developer", "system", "assistant", "user", "tool", "activity", "reasoning"]),
  content: v.optional(v.unknown()),
  toolCalls: v.nullish(
    v.array(
      v.looseObject({ id: v.string(), function: v.looseObject({ name: v.string(), arguments: v.optional(text, "") }) }),
    ),
  ),
  toolCallId: v.nullish(v.string()),
});
export type AguiMessage = v.InferOutput<typeof AguiMessage>;

/** A tool of the caller's own front end: offered to a model, never answered here. */
export const AguiTool = v.looseObject({
  name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, "must be 1-64 letters, digits, _ or -")),
  description: v.optional(text, ""),
  parameters: v.optional(v.unknown()),
});
export type AguiTool = v.InferOutput<typeof AguiTool>;

export const AguiResume = v.looseObject({
  interruptId: id,
  status: v.picklist(["resolved", "cancelled"]),
  payload: v.optional(v.unknown()),
});
export type AguiResume = v.InferOutput<typeof AguiResume>;

/** One call of a tool, as `forwardedProps.operations` and JSON messages carry it. */
export const AguiOperation = v.strictObject({
  tool: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  arguments: v.optional(v.record(v.string(), v.unknown()), {}),
});
export type AguiOperation = v.InferOutput<typeof AguiOperation>;

/** What `forwardedProps` may tell us; a front end may keep more there. */
export const AguiForwarded = v.looseObject({
  operations: v.optional(v.pipe(v.array(AguiOperation), v.maxLength(50, "at most 50 operations a run"))),
  /** true: the whole feed; a name: of one VM. */
  watch: v.optional(v.union([v.boolean(), v.pipe(v.string(), v.maxLength(63))])),
  /** Tools a model is offered: default, all, or groups, comma-separated. */
  toolGroups: v.optional(v.pipe(v.string(), v.maxLength(500))),
});
export type AguiForwarded = v.InferOutput<typeof AguiForwarded>;

export const AguiRunInput = v.looseObject({
  threadId: id,
  runId: id,
  protocolVersion: v.nullish(
    v.pipe(v.string(), v.regex(/^1(\.\d{1,4})?$/, "is not spoken here: this server speaks AG-UI 1.0")),
  ),
  parentRunId: v.nullish(v.string()),
  messages: v.pipe(v.array(AguiMessage), v.maxLength(10_000, "at most 10000 messages")),
  state: v.optional(v.unknown()),
  tools: v.nullish(v.pipe(v.array(AguiTool), v.maxLength(128, "at most 128 tools of the front end"))),
  context: v.nullish(v.pipe(v.array(v.looseObject({ description: v.string(), value: v.string() })), v.maxLength(100))),
  forwardedProps: v.nullish(AguiForwarded),
  resume: v.nullish(v.pipe(v.array(AguiResume), v.maxLength(50))),
});
export type AguiRunInput = v.InferOutput<typeof AguiRunInput>;

/** Largest body of a run, bytes: a thread's history goes to and fro whole, screenshots with it. */
export const AGUI_BODY_BYTES = 12 * 1024 * 1024;
