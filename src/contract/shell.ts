import * as v from "valibot";

/**
 * The wire of a shell in a guest: agent <-> server <-> caller, one WebSocket, the server passes everything on. The caller's first message is
 * `open`. From then on its binary messages are input, and those of the agent output: one byte that says which stream (1 standard output,
 * 2 standard error; a terminal has only the first), then the bytes. All else is JSON text. Each side sends {@link SHELL_WINDOW_BYTES} ahead of
 * what the other has acknowledged (`ack`) and no more, so nobody between them has to keep much. After `exit` the agent closes.
 */
export const SHELL_WINDOW_BYTES = 256 * 1024;
/** Shells that may be open in one VM at once. */
export const MAX_SHELLS = 4;
/** Largest message of the caller's, bytes. */
export const SHELL_MESSAGE_BYTES = 64 * 1024;

export const SHELL_STREAM = { out: 1, error: 2 } as const;
export const SHELL_SIGNALS = ["HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2"] as const;

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));
const bytes = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4 * SHELL_WINDOW_BYTES));
// eslint-disable-next-line no-control-regex
const argument = v.pipe(v.string(), v.maxLength(32_768), v.regex(/^[^\u0000]*$/, "must not hold a zero byte"));

/** What the caller says. */
export const ShellCommand = v.variant("type", [
  v.strictObject({
    type: v.literal("open"),
    /** Program and arguments; none: the guest's shell. */
    command: v.optional(v.pipe(v.array(argument), v.maxLength(256)), []),
    /** null: no terminal but three pipes, for scripts. */
    terminal: v.nullable(
      v.strictObject({
        columns: side,
        rows: side,
        /** What TERM is set to. */
        term: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/)), "xterm-256color"),
      }),
    ),
  }),
  v.strictObject({ type: v.literal("resize"), columns: side, rows: side }),
  /** To the process group of the command. */
  v.strictObject({ type: v.literal("signal"), signal: v.picklist(SHELL_SIGNALS) }),
  /** No more input comes; of pipes only. */
  v.strictObject({ type: v.literal("end") }),
  /** So many more bytes of output were taken. */
  v.strictObject({ type: v.literal("ack"), bytes }),
]);
export type ShellCommand = v.InferOutput<typeof ShellCommand>;
export type OpenShell = Extract<ShellCommand, { type: "open" }>;
export type OpenShellInput = Extract<v.InferInput<typeof ShellCommand>, { type: "open" }>;
export type ShellSignal = (typeof SHELL_SIGNALS)[number];

/** What the agent says. */
export const ShellMessage = v.variant("type", [
  v.strictObject({ type: v.literal("ack"), bytes }),
  /** 128 and the number of the signal, where one ended it; 126 and 127 where it could not be run, as shells have it. */
  v.strictObject({
    type: v.literal("exit"),
    code: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
  }),
]);
export type ShellMessage = v.InferOutput<typeof ShellMessage>;
