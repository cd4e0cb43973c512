import type { Protocol } from "devtools-protocol";
import type { OverlayTarget } from "../overlay/target.ts";
import type { Journal } from "./journal.ts";
import { clipped } from "./ring.ts";

/** Longest text of one entry, characters. */
const MAX_TEXT = 16_384;

export function recordConsole(
  journal: Journal,
  target: OverlayTarget,
  { type, args, timestamp, stackTrace }: Protocol.Runtime.ConsoleAPICalledEvent,
): void {
  const text = clipped(args.map(textOf).join(" "), MAX_TEXT);
  const level = type === "log" ? "info" : type;
  const at = stackTrace?.callFrames[0];
  const id = journal.id("c");
  journal.record({ id, tab: target.tab, time: timestamp, kind: "console", level, text, ...placeOf(at) });
}

/** What the browser itself has to say of a page: failed loads, violated policies, deprecations. */
export function recordLog(journal: Journal, target: OverlayTarget, { entry }: Protocol.Log.EntryAddedEvent): void {
  journal.record({
    id: journal.id("c"),
    tab: target.tab,
    time: entry.timestamp,
    kind: "console",
    level: entry.level,
    text: clipped(entry.text, MAX_TEXT),
    ...placeOf({ url: entry.url ?? "", lineNumber: entry.lineNumber ?? 0, columnNumber: 0 }),
  });
}

export function recordException(
  journal: Journal,
  target: OverlayTarget,
  { timestamp, exceptionDetails }: Protocol.Runtime.ExceptionThrownEvent,
): void {
  const { exception, url = "", lineNumber, columnNumber, stackTrace } = exceptionDetails;
  const said = exception ? textOf(exception) : "";
  const text = clipped(said || exceptionDetails.text, MAX_TEXT);
  const at = stackTrace?.callFrames[0] ?? { url, lineNumber, columnNumber };
  const id = journal.id("x");
  journal.record({ id, tab: target.tab, time: timestamp, kind: "exception", text, ...placeOf(at) });
}

/** As a console shows it; the page is asked nothing. */
function textOf({ type, value, unserializableValue, description, preview }: Protocol.Runtime.RemoteObject): string {
  if (type === "string") return String(value);
  if (unserializableValue !== undefined) return unserializableValue;
  if (preview && preview.subtype !== "error") return previewOf(preview);
  if (description !== undefined) return description;
  return type === "undefined" ? "undefined" : JSON.stringify(value);
}

function previewOf({ subtype, description, properties, overflow }: Protocol.Runtime.ObjectPreview): string {
  const isList = subtype === "array" || subtype === "typedarray";
  if (!isList && description !== undefined && description !== "Object") return description;
  const parts = properties.map(({ name, type, value = type }) => {
    const shown = type === "string" ? JSON.stringify(value) : value;
    return isList ? shown : `${name}: ${shown}`;
  });
  const inside = [...parts, ...(overflow ? ["…"] : [])].join(", ");
  return isList ? `[${inside}]` : `{${inside}}`;
}

/** Counted from one, as people do. */
const placeOf = (at: { url: string; lineNumber: number; columnNumber: number } | undefined) => ({
  url: clipped(at?.url ?? "", 2_048),
  line: (at?.lineNumber ?? -1) + 1,
  column: (at?.columnNumber ?? -1) + 1,
});
