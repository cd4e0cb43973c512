import type { Writable } from "node:stream";
import type { Colours } from "./colours.ts";
import { sanitizeLine } from "../../text/sanitize.ts";

const COLOUR: Record<string, keyof Colours> = { debug: "dim", info: "blue", warn: "yellow", error: "red" };

/** Where log lines go: as they are (JSON) for machines, short and readable on a terminal. */
export function logWriter(stream: Writable, isTerminal: boolean, paint: Colours): (line: string) => void {
  if (!isTerminal) return (line) => void stream.write(line);
  return (line) => void stream.write(readable(JSON.parse(line) as Record<string, unknown>, paint));
}

/** `16:40:02 info  engine  VM running  vm=demo boot_ms=7900` */
export function readable(entry: Record<string, unknown>, paint: Colours): string {
  const { at, level, room, message, ...fields } = entry;
  const time = new Date(String(at)).toTimeString().slice(0, 8);
  const name = String(level).padEnd(5);
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`);
  const words = [sanitizeLine(`${String(room).padEnd(10)}  ${message}`), sanitizeLine(rest.join(" "))];
  const colour = COLOUR[String(level)] ?? "dim";
  return `${paint.dim(time)} ${paint[colour](name)} ${words[0]}${words[1] === "" ? "" : `  ${paint.dim(words[1] ?? "")}`}\n`;
}

const plain = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined"));
