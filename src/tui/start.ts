import { CliRenderEvents, type CliRenderer, createCliRenderer } from "@opentui/core";
import { writeSync } from "node:fs";
import { App, type AppOptions } from "./app.ts";
import { RunningCommands } from "./commands/running.ts";
import { savePicture } from "./save-picture.ts";
import { SettingsKeeper } from "./settings/keeper.ts";
import { loadRemembered } from "./settings/settings-file.ts";
import { initialState } from "./state/state.ts";
import { Store } from "./state/store.ts";
import { TerminalState } from "./terminal-state.ts";
import type { ThemeName } from "./theme/themes.ts";

/** What commands of the palette undo when the interface is left may take so long, milliseconds. */
const UNDO_MS = 5_000;
/** A stop that the kernel does not do (nobody could continue this program) is waited for no longer, milliseconds. */
const STOP_MS = 500;

export type TuiOptions = Pick<AppOptions, "connect" | "refused" | "serve" | "commands"> & {
  /** As the user named the server: a URL. */
  server: string;
  /** For this start; null: what is remembered. */
  theme: ThemeName | null;
  /** NO_COLOR: the terminal's own colours only, where the settings say `auto`. */
  plain: boolean;
  /** Where pictures are saved. */
  cwd: string;
  settingsFile: string;
  /** Runs a shell in this VM on standard input and output. */
  shell(vm: string): Promise<void>;
};

/**
 * Runs the terminal interface until the user leaves, the terminal goes away or a signal comes. The terminal is as it was when this
 * returns or throws.
 * @throws whatever a view or a handler threw
 */
export async function runTui(options: TuiOptions): Promise<void> {
  const { settings, history, problem } = loadRemembered(options.settingsFile);
  const left = Promise.withResolvers<void>();
  const leave = () => left.resolve();
  const terminal = new TerminalState();
  const renderer = await createCliRenderer({
    exitOnCtrlC: false, // a key like any other: what it does stands in the table
    exitSignals: ["SIGTERM", "SIGHUP", "SIGINT"],
    targetFps: 30,
    maxFps: 60,
    screenMode: "alternate-screen",
    consoleMode: "disabled",
    useMouse: true,
    prependInputHandlers: [terminal.listen],
    onDestroy: leave,
  });
  terminal.save();
  const fail = (thrown: unknown) => left.reject(thrown);
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  process.stdin.on("end", leave); // the terminal was closed under it
  process.stdin.on("close", leave);
  renderer.on(CliRenderEvents.RENDER_ERROR, ({ error }: { error: unknown }) => fail(error));
  const store = new Store({ ...initialState(options.server, settings, Date.now()), history });
  store.state.themeNow = options.theme;
  const running = new RunningCommands();
  const guard = { isAway: false };
  const suspend = stopper(renderer, terminal, guard);
  process.on("SIGTSTP", suspend);
  try {
    using app = new App({
      ...options,
      renderer,
      store,
      theme: options.plain ? "none" : "terminal",
      onQuit: leave,
      savePicture: (vm, bytes) => savePicture(options.cwd, vm, bytes),
      copy: (text) => renderer.copyToClipboardOSC52(text),
      running,
      suspend,
      shell: (vm) => {
        if (store.state.detail) store.state.detail.pageSeen = false; // until a frame shows it again
        return lend(renderer, terminal, guard, () => options.shell(vm));
      },
      bell: () => void writeSync(1, "\u0007"),
    });
    // A file that is not understood is somebody's: it is left as it is.
    using _keeper = problem ? null : new SettingsKeeper(store, options.settingsFile);
    if (problem) store.toast("bad", problem, true);
    void app.connectTo({ server: options.server, key: null });
    await left.promise;
  } finally {
    renderer.destroy();
    await renderer.closed.finally(() => terminal.restore());
    process.off("SIGTSTP", suspend);
    await running.end(UNDO_MS);
    process.off("uncaughtException", fail);
    process.off("unhandledRejection", fail);
    process.stdin.off("end", leave);
    process.stdin.off("close", leave);
  }
}

/** The terminal is somebody else's: it is neither taken back nor given away again. */
type Guard = { isAway: boolean };

/**
 * Gives the terminal back and stops, as ctrl-z does everywhere; goes on when the shell continues it. The whole process group stops: a
 * script that runs this program belongs to the same job.
 */
function stopper(renderer: CliRenderer, terminal: TerminalState, guard: Guard): () => void {
  const suspend = async () => {
    if (guard.isAway) return;
    guard.isAway = true;
    await renderer.suspend();
    terminal.restore();
    const { promise: continued, resolve } = Promise.withResolvers<void>();
    process.once("SIGCONT", resolve);
    process.off("SIGTSTP", begin);
    process.kill(0, "SIGTSTP");
    // In a group that has no shell the kernel does not stop anybody.
    await Promise.race([continued, Bun.sleep(STOP_MS)]);
    process.off("SIGCONT", resolve);
    process.on("SIGTSTP", begin);
    terminal.save();
    await renderer.resume();
    guard.isAway = false;
  };
  const begin = () => void suspend();
  return begin;
}

/** Gives the terminal to somebody else for a while: whoever stops the program then would stop it under their hands, and is not heard. */
async function lend(
  renderer: CliRenderer,
  terminal: TerminalState,
  guard: Guard,
  use: () => Promise<void>,
): Promise<void> {
  guard.isAway = true;
  await renderer.suspend();
  terminal.restore();
  try {
    await use();
  } finally {
    terminal.save();
    await renderer.resume();
    guard.isAway = false;
  }
}
