import * as v from "valibot";
import { type AguiMessage, AguiOperation, type AguiRunInput } from "../contract/agui.ts";
import { HypeError, isToolSelection, TOOL_SELECTION_RULE, type ToolSelection } from "../contract/index.ts";
import { parseCommand, type Surroundings } from "./commands.ts";
import { phraseCommands } from "./phrases.ts";

/**
 * Whether the run is to stay open and tell what happens.
 * @returns null: it is not; else the name of the VM, or null for all
 */
export function watchAsked(input: AguiRunInput, preset: string | null): { vm: string | null } | null {
  const asked = input.forwardedProps?.watch ?? false;
  if (asked !== false) return { vm: typeof asked === "string" ? asked : preset };
  const typed = /^\/(?:vms\s+)?watch(?:(?:\s+|\s+--vm(?:\s+|=))([^\s-]\S*))?\s*$/i.exec(
    lastWords(input.messages).trim(),
  );
  return typed && { vm: typed[1] ?? preset };
}

/** Which tools a model is to be offered; `usual` where the caller does not say. @throws HypeError invalid_request */
export function offerAsked({ forwardedProps }: AguiRunInput, usual: ToolSelection): ToolSelection {
  if (forwardedProps?.toolGroups === undefined) return usual;
  const words = forwardedProps.toolGroups.split(",").map((word) => word.trim());
  if (isToolSelection(words)) return words;
  const path = "forwardedProps.toolGroups";
  const message = TOOL_SELECTION_RULE;
  throw new HypeError("invalid_request", `${path} ${message}`, { issues: [{ path, message }] });
}

/** What a run is to do. */
export type Intent =
  | { kind: "operations"; operations: AguiOperation[] }
  | { kind: "help" }
  /** The front end did what a model had called it for. */
  | { kind: "answer" }
  /** Words no command or phrase: a model's work, if there is one. */
  | { kind: "words"; text: string };

const MOST_OPERATIONS = 50;
const TEXT_CHARACTERS = 100_000;

/**
 * What the caller wants, by what says it most clearly: operations of a program, a command, a JSON call, a phrase. Who answers an interrupt
 * was heard before.
 * @throws HypeError usage | invalid_request, in words for whoever typed it
 */
export function interpret(input: AguiRunInput, around: Surroundings): Intent {
  const { operations } = input.forwardedProps ?? {};
  if (operations && operations.length > 0) return { kind: "operations", operations };
  if (lastOf(input.messages)?.role === "tool") return { kind: "answer" };
  const text = lastWords(input.messages).trim();
  if (text.length > TEXT_CHARACTERS)
    throw new HypeError("payload_too_large", `a message may hold at most ${TEXT_CHARACTERS} characters`);
  if (text.startsWith("/")) return command(text, around);
  if (/^[[{]/.test(text)) return { kind: "operations", operations: jsonCalls(text) };
  const phrase = phraseCommands(text);
  if (phrase) return { kind: "operations", operations: phrase.flatMap((line) => parseCommand(line, around)) };
  return /^(help|\?|)$/i.test(text) ? { kind: "help" } : { kind: "words", text };
}

function command(text: string, around: Surroundings): Intent {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > MOST_OPERATIONS) throw new HypeError("usage", `at most ${MOST_OPERATIONS} commands at once`);
  const [only = ""] = lines;
  if (lines.length === 1 && /^\/(help|\?)(\s|$)/i.test(only)) return { kind: "help" };
  const operations = lines.flatMap((line) => parseCommand(line.trim(), around));
  if (operations.length > MOST_OPERATIONS)
    throw new HypeError("usage", `at most ${MOST_OPERATIONS} commands at once, one for each VM`);
  return { kind: "operations", operations };
}

const Calls = v.union([AguiOperation, v.pipe(v.array(AguiOperation), v.minLength(1), v.maxLength(MOST_OPERATIONS))]);

function jsonCalls(text: string): AguiOperation[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HypeError(
      "usage",
      'the message begins like JSON but is none; a call is {"tool": NAME, "arguments": {…}}',
    );
  }
  const found = v.safeParse(Calls, value);
  if (!found.success) throw new HypeError("usage", 'a call is {"tool": NAME, "arguments": {…}}, or a list of such');
  return [found.output].flat();
}

const lastOf = (messages: readonly AguiMessage[]) => messages.findLast(({ role }) => role !== "activity");

/** Whether it says what is to be done, be it by the user's last words or by a program. */
export const saysSomething = ({ messages, forwardedProps }: AguiRunInput): boolean =>
  lastWords(messages).trim() !== "" || (forwardedProps?.operations ?? []).length > 0;

/** Text of the last message, if it is the user's. */
function lastWords(messages: readonly AguiMessage[]): string {
  const last = lastOf(messages);
  return last?.role === "user" ? textOf(last.content) : "";
}

/** Content is text, or parts of which some are. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) => (part as { type?: unknown; text?: unknown } | null) ?? {})
    .flatMap(({ type, text }) => (type === "text" && typeof text === "string" ? [text] : []))
    .join("\n");
}
