import { existsSync, readlinkSync } from "node:fs";
import { userInfo } from "node:os";
import { type OpenShell, SHELL_STREAM, SHELL_WINDOW_BYTES, type ShellMessage } from "../../src/contract/index.ts";
import { endSession, killSession, signal } from "./session.ts";
import { holdOutput } from "./tty-flow.ts";

/** Between two looks whether anything still comes of a command that has ended, milliseconds. */
const QUIET_MS = 500;

export type Listener = {
  output(stream: number, bytes: Uint8Array): void;
  tell(message: ShellMessage): void;
};

/**
 * A command in the guest, on a terminal or on three pipes, in a session of its own that ends with it. It is the agent's user's: in a guest
 * root, whose walls are the VM's.
 */
export class Shell implements Disposable {
  readonly #child: Bun.Subprocess<"pipe" | undefined, "pipe" | undefined, "pipe" | undefined>;
  /** Path of its terminal; null: it has pipes. */
  readonly #tty: string | null;
  readonly #listener: Listener;
  readonly #ended = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #given = 0;
  #untaken = 0;
  #isHeld = false;
  #room = Promise.withResolvers<void>();
  /** Input that its command has not taken. */
  #waiting = 0;
  #isFlushing = false;
  #isInputOver = false;
  #isDisposed = false;

  constructor({ command, terminal }: OpenShell, listener: Listener) {
    this.#listener = listener;
    const { username, homedir } = userInfo();
    const shell = ["/bin/bash", "/bin/sh"].find((path) => existsSync(path)) ?? "/bin/sh";
    const argv = ["setpriv", "--pdeathsig", "KILL", ...(command.length > 0 ? command : [shell])];
    const common = {
      cwd: existsSync(homedir) ? homedir : "/",
      env: {
        HOME: homedir,
        USER: username,
        LOGNAME: username,
        SHELL: shell,
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        LANG: "C.UTF-8",
        ...(terminal ? { TERM: terminal.term } : {}),
      },
    };
    if (terminal) {
      this.#child = Bun.spawn(argv, {
        ...common,
        terminal: {
          cols: terminal.columns,
          rows: terminal.rows,
          name: terminal.term,
          data: (_terminal, bytes) => this.#give(SHELL_STREAM.out, bytes),
          exit: () => this.#ended.resolve(),
          drain: () => this.#taken(),
        },
      });
      this.#tty = ttyOf(this.#child.pid);
    } else {
      const child = Bun.spawn(argv, { ...common, stdin: "pipe", stdout: "pipe", stderr: "pipe", detached: true });
      this.#child = child;
      this.#tty = null;
      const both = [this.#read(SHELL_STREAM.out, child.stdout), this.#read(SHELL_STREAM.error, child.stderr)];
      void Promise.all(both).then(() => this.#ended.resolve());
    }
    void this.#whenOver();
  }

  /** Input that waits: the caller is to keep within the window. */
  get waitingBytes(): number {
    return this.#waiting;
  }

  write(bytes: Uint8Array): void {
    if (this.#isDisposed) return;
    this.#waiting += bytes.length;
    if (this.#child.terminal) this.#child.terminal.write(bytes);
    else if (this.#isInputOver || !this.#child.stdin) this.#taken();
    else {
      this.#child.stdin.write(bytes);
      void this.#flush();
    }
  }

  /** No more input. A terminal has no such end: there it is a key. */
  end(): void {
    if (this.#isInputOver || this.#tty !== null) return;
    this.#isInputOver = true;
    void Promise.resolve(this.#child.stdin?.end()).catch(() => {});
  }

  resize(columns: number, rows: number): void {
    if (!this.#isDisposed) this.#child.terminal?.resize(columns, rows);
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) signal(-this.#child.pid, name);
  }

  /** The other side has taken so many more bytes of output. */
  acknowledge(bytes: number): void {
    this.#untaken = Math.max(0, this.#untaken - bytes);
    if (this.#untaken >= SHELL_WINDOW_BYTES / 2 || !this.#isHeld) return;
    this.#isHeld = false;
    if (this.#tty !== null) holdOutput(this.#tty, false);
    this.#room.resolve();
  }

  /** Resolves when nothing it started is left. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Ends everything it started, which is given a moment. Twice is harmless. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#room.resolve();
    this.#child.terminal?.close();
    this.#gone.resolve(endSession(this.#child.pid));
  }

  /** The same without the moment: the agent itself ends. */
  kill(): void {
    this[Symbol.dispose]();
    killSession(this.#child.pid);
  }

  #give(stream: number, bytes: Uint8Array): void {
    if (this.#isDisposed) return;
    this.#given += bytes.length;
    this.#untaken += bytes.length;
    this.#listener.output(stream, bytes);
    if (this.#untaken < SHELL_WINDOW_BYTES || this.#isHeld) return;
    this.#isHeld = true;
    this.#room = Promise.withResolvers();
    if (this.#tty !== null) holdOutput(this.#tty, true);
  }

  async #read(stream: number, bytes: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const piece of bytes) {
        this.#give(stream, piece);
        if (this.#isHeld) await this.#room.promise;
        if (this.#isDisposed) return;
      }
    } catch {
      // killed while it was read
    }
  }

  async #flush(): Promise<void> {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      for (let before = 0; before !== this.#waiting;) {
        before = this.#waiting;
        await this.#child.stdin?.flush();
      }
    } catch {
      this.#isInputOver = true; // it reads no more: what still comes is dropped, as a pipe without a reader does
    }
    this.#isFlushing = false;
    this.#taken();
  }

  #taken(): void {
    const bytes = this.#waiting;
    this.#waiting = 0;
    if (bytes > 0 && !this.#isDisposed) this.#listener.tell({ type: "ack", bytes });
  }

  async #whenOver(): Promise<void> {
    const code = await this.#child.exited;
    if (this.#isDisposed) return;
    killSession(this.#child.pid); // what it left running holds the terminal, or the pipes, open
    for (let before = -1; before !== this.#given || this.#isHeld;) {
      before = this.#given;
      const isOver = await Promise.race([this.#ended.promise.then(() => true), Bun.sleep(QUIET_MS)]);
      if (isOver || this.#isDisposed) break;
    }
    if (!this.#isDisposed) this.#listener.tell({ type: "exit", code: code & 0xff });
    this[Symbol.dispose]();
  }
}

/** The terminal a process was just given. */
function ttyOf(pid: number): string | null {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/0`);
    return path.startsWith("/dev/pts/") ? path : "";
  } catch {
    return ""; // it has ended already
  }
}
