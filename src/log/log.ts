/** Structured log lines (one JSON object a line). Secrets are redacted by field name and by shape before they are written. */
export type Level = "debug" | "info" | "warn" | "error";
const ORDER: Record<Level, number> = { debug: 10, info: 20, warn: 30, error: 40 };
const SECRET_FIELD = /(^|_)(key|token|secret|password|authorization|cookie)$/i;
const SECRET_TEXT = /((?:token=|Bearer\s+|hype_)[A-Za-z0-9_\-.~+/=]{6})[A-Za-z0-9_\-.~+/=]+/g;

export type Fields = Record<string, unknown>;
export type Log = {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same sink under a room's name. */
  room(name: string): Log;
};

export const redact = (value: unknown, field = ""): unknown => {
  if (typeof value === "string") return SECRET_FIELD.test(field) ? "[redacted]" : value.replace(SECRET_TEXT, "$1…");
  if (value instanceof Error)
    return {
      name: value.name,
      message: redact(value.message),
      stack: redact(value.stack),
      cause: value.cause && redact(value.cause),
    };
  if (Array.isArray(value)) return value.map((item) => redact(item));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, key)]));
  return value;
};

/** @param write receives whole lines, newline included. */
export function createLog(options: { level: Level; write: (line: string) => void; room?: string }): Log {
  const emit = (level: Level, message: string, fields: Fields = {}) => {
    if (ORDER[level] < ORDER[options.level]) return;
    const line = {
      at: new Date().toISOString(),
      level,
      room: options.room ?? "hype",
      message: redact(message),
      ...(redact(fields) as Fields),
    };
    options.write(`${JSON.stringify(line)}\n`);
  };
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    room: (name) => createLog({ ...options, room: name }),
  };
}

/** For tests and commands that log nothing. */
export const silentLog: Log = createLog({ level: "error", write: () => {} });
