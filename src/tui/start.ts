import { createCliRenderer } from "@opentui/core";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../client/types.ts";
import { App } from "./app.ts";
import type { Commands } from "./commands/commands.ts";
import { DEFAULT_SETTINGS, initialState } from "./state/state.ts";
import { Store } from "./state/store.ts";
import type { ThemeName } from "./theme/themes.ts";

export type TuiOptions = {
  client: Client;
  /** As the user named the server: a URL. */
  server: string;
  /** Look of the terminal where the settings say `auto`. */
  theme: ThemeName;
  commands: Commands;
  /** Where pictures are saved. */
  cwd: string;
};

/** Runs the terminal interface until the user leaves. The terminal is as it was when this returns, on every path. */
export async function runTui({ client, server, theme, commands, cwd }: TuiOptions): Promise<void> {
  const left = Promise.withResolvers<void>();
  const renderer = await createCliRenderer({
    exitOnCtrlC: false, // a key like any other: what it does stands in the table
    exitSignals: ["SIGTERM", "SIGHUP", "SIGINT"],
    targetFps: 30,
    maxFps: 60,
    screenMode: "alternate-screen",
    consoleMode: "disabled",
    useMouse: true,
    onDestroy: () => left.resolve(),
  });
  const store = new Store(initialState(server, DEFAULT_SETTINGS, Date.now()));
  const app = new App({
    renderer,
    client,
    store,
    theme,
    commands,
    onQuit: () => left.resolve(),
    savePicture: (vm, bytes) => savePicture(cwd, vm, bytes),
    copy: (text) => void renderer.copyToClipboardOSC52(text),
    keepHistory: () => {},
  });
  try {
    app.start();
    await left.promise;
  } finally {
    app[Symbol.dispose]();
    renderer.destroy();
    await renderer.closed;
  }
}

const MOST_NUMBERS = 1_000;

/** `NAME.png`, or with a number where that is taken. */
async function savePicture(directory: string, vm: string, bytes: Uint8Array): Promise<string> {
  for (let number = 0; ; number++) {
    const path = join(directory, `${vm}${number === 0 ? "" : `-${number}`}.png`);
    try {
      const file = await open(path, "wx");
      await file.writeFile(bytes).finally(() => file.close());
      return path;
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "EEXIST" || number >= MOST_NUMBERS) throw thrown;
    }
  }
}
