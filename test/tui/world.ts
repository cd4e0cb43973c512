import { createTestRenderer, type TestRendererSetup } from "@opentui/core/testing";
import { type CliContext, processContext } from "../../src/cli/context.ts";
import { tuiCommands } from "../../src/cli/tui-commands.ts";
import { connect } from "../../src/client/client.ts";
import type { Target } from "../../src/tui/connection/session.ts";
import { App } from "../../src/tui/app.ts";
import { RunningCommands } from "../../src/tui/commands/running.ts";
import { DEFAULT_SETTINGS, initialState, type Settings } from "../../src/tui/state/state.ts";
import { Store } from "../../src/tui/state/store.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

export type TuiOptions = {
  width?: number;
  height?: number;
  settings?: Partial<Settings>;
  /** Rows the server has from the start. */
  prepare?: (server: TestServer) => void;
  key?: string;
  /** Another server than the test's own. */
  address?: string;
  /** Between two samples of what the VMs do, milliseconds; hardly ever unless asked for. */
  sampleMs?: number;
};

/** What the interface did to the world outside of its server. */
export type Seen = {
  quits: number;
  served: number;
  suspends: number;
  shells: string[];
  bells: number;
  saved: Map<string, Uint8Array>;
  copied: string[];
};

/** What is shown for the test's server. */
const SHOWN = "http://127.0.0.1:7777";

/** The CLI's surroundings as the palette's commands see them. */
const cliContext = ({ url, home }: TestServer, key: string): CliContext => ({
  ...processContext(),
  env: { HOME: home, OVERHYPED_API_BASE: url, OVERHYPED_API_KEY: key },
});

/** The clock of frames that are compared: 20 minutes after the first VM of the fake engine. */
export const NOW_MS = 1_700_000_000_000 + 20 * 60_000;

/** The terminal interface on a screen in memory, over the real client and the real app. */
export class TuiWorld implements AsyncDisposable {
  private constructor(
    readonly server: TestServer,
    readonly screen: TestRendererSetup,
    readonly store: Store,
    readonly app: App,
    readonly seen: Seen,
    readonly running: RunningCommands,
  ) {}

  static async open({
    width = 120,
    height = 40,
    settings,
    prepare,
    key = KEY,
    address = SHOWN,
    sampleMs = 600_000,
  }: TuiOptions = {}): Promise<TuiWorld> {
    const server = startTestServer();
    prepare?.(server);
    const screen = await createTestRenderer({ width, height, exitOnCtrlC: false });
    const store = new Store(initialState(address, { ...DEFAULT_SETTINGS, ...settings }, NOW_MS), () => NOW_MS);
    const seen: Seen = {
      quits: 0,
      served: 0,
      suspends: 0,
      shells: [],
      bells: 0,
      saved: new Map(),
      copied: [],
    };
    let target: Target = { server: server.url, key: null };
    const running = new RunningCommands();
    const app = new App({
      renderer: screen.renderer,
      // The address on the screen is the same in every run; the port behind it is not.
      connect: async (wanted) => {
        target = { server: server.url, key: wanted.key ?? key };
        return await connect({ base: wanted.server === SHOWN ? server.url : wanted.server, key: wanted.key ?? key });
      },
      refused: () => {},
      server: SHOWN,
      store,
      theme: "dark",
      onQuit: () => void (seen.quits += 1),
      serve: async () => {
        seen.served += 1;
        return { server: SHOWN, told: "hype serve runs in the background (pid 1)" };
      },
      suspend: () => void (seen.suspends += 1),
      shell: async (vm) => void seen.shells.push(vm),
      bell: () => void (seen.bells += 1),
      savePicture: async (vm, bytes) => {
        seen.saved.set(vm, bytes);
        return `/pictures/${vm}.png`;
      },
      commands: tuiCommands(
        cliContext(server, key),
        () => target,
        async (shown) => await connect({ base: shown.server, key: shown.key ?? null }),
      ),
      running,
      copy: (text) => seen.copied.push(text) > 0,
      sampleMs,
    });
    void app.connectTo({ server: address, key: null });
    return new TuiWorld(server, screen, store, app, seen, running);
  }

  /** Waits for a frame that holds the text, or what the function looks for. */
  async until(wanted: string | RegExp | ((frame: string) => boolean)): Promise<string> {
    const matches = (frame: string) =>
      typeof wanted === "function"
        ? wanted(frame)
        : typeof wanted === "string"
          ? frame.includes(wanted)
          : wanted.test(frame);
    for (let tries = 0; ; tries++) {
      await this.screen.flush();
      const frame = this.screen.captureCharFrame();
      if (matches(frame)) return frame;
      if (tries > 600) throw new Error(`no frame with ${String(wanted)}; the last one:\n${frame}`);
      await this.#changed();
    }
  }

  /** The next change of the state, or a moment: frames also come from timers. */
  #changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.store.subscribe(resolve);
    const timer = setTimeout(resolve, 20);
    return promise.finally(() => {
      clearTimeout(timer);
      stop();
    });
  }

  /** Types keys: single characters, or names such as ARROW_DOWN, RETURN, ESCAPE, TAB. */
  async press(...keys: Parameters<TestRendererSetup["mockInput"]["pressKey"]>[0][]): Promise<void> {
    for (const key of keys) this.screen.mockInput.pressKey(key);
    await this.screen.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.app[Symbol.dispose]();
    await this.screen.dispose();
    await this.server[Symbol.asyncDispose]();
  }
}
