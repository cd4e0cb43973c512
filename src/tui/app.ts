import {
  CliRenderEvents,
  type CliRenderer,
  type KeyEvent,
  type MouseEvent,
  type OptimizedBuffer,
  type PasteEvent,
  Renderable,
} from "@opentui/core";
import type { Client } from "../client/types.ts";
import { HypeError, messageOf } from "../contract/index.ts";
import { askForKey } from "./actions/connecting.ts";
import type { ActionContext } from "./actions/context.ts";
import { showPane, sortBy } from "./actions/moving.ts";
import { ACTIONS } from "./actions/table.ts";
import { type Area, cutBottom, cutTop } from "./canvas/area.ts";
import { Canvas } from "./canvas/canvas.ts";
import { Session, type Target } from "./connection/session.ts";
import type { Commands } from "./commands/commands.ts";
import { PagePicture } from "./canvas/page-picture.ts";
import type { ActionName } from "./keys/bindings.ts";
import { findBinding, type Key, keyNamed, nameOf, whereOf } from "./keys/match.ts";
import { confirm } from "./overlays/confirm.ts";
import { filter } from "./overlays/filter.ts";
import { create } from "./overlays/create/create.ts";
import { help } from "./overlays/help.ts";
import type { OverlayContext, OverlayRoom } from "./overlays/overlay.ts";
import type { Overlay, OverlayKind } from "./state/overlays.ts";
import { initialState, type State } from "./state/state.ts";
import { chosenEvent, jumpToVm } from "./state/journal.ts";
import type { Store } from "./state/store.ts";
import { type Theme, themeNamed, type ThemeName } from "./theme/themes.ts";
import { menu } from "./overlays/menu.ts";
import { output } from "./overlays/output.ts";
import { palette } from "./overlays/palette.ts";
import { prompt } from "./overlays/prompt.ts";
import { search } from "./overlays/search.ts";
import { vmView } from "./views/detail/vm.ts";
import { events } from "./views/events.ts";
import { fleet } from "./views/fleet.ts";
import { shell } from "./views/shell.ts";
import type { Click, View } from "./views/view.ts";

const SCREENS: Record<State["screen"]["name"], View> = { fleet, vm: vmView, events };
const OVERLAYS: { [K in OverlayKind]: OverlayRoom<K> } = {
  filter,
  search,
  help,
  confirm,
  prompt,
  menu,
  create,
  palette,
  output,
};
/** Overlays that may cover the picture of a page. */
const LARGE: ReadonlySet<OverlayKind> = new Set(["help", "confirm", "prompt", "menu", "create", "palette", "output"]);
/** The clock in the header and ages move without anybody's doing: no frame is older than about this, milliseconds. */
const OLDEST_FRAME_MS = 2_000;

/** One renderable as large as the screen: views draw into it, frame by frame, when the state changed. */
class Screen extends Renderable {
  constructor(
    renderer: CliRenderer,
    private readonly paint: (buffer: OptimizedBuffer, area: Area) => void,
  ) {
    super(renderer, { position: "absolute", top: 0, left: 0, width: "100%", height: "100%" });
  }
  protected override renderSelf(buffer: OptimizedBuffer): void {
    this.paint(buffer, { x: 0, y: 0, width: this.width, height: this.height });
  }
}

export type AppOptions = {
  renderer: CliRenderer;
  /** @throws HypeError when there can be no client for it */
  connect(target: Target): Promise<Client>;
  /** This server did not take the key it was last given. */
  refused(server: string): void;
  server: string;
  store: Store;
  /** Used where the settings say `auto`; "terminal": whichever the terminal says it is, dark until then. */
  theme: ThemeName | "terminal";
  serve: ActionContext["serve"];
  suspend: ActionContext["suspend"];
  shell: ActionContext["shell"];
  bell(): void;
  onQuit(): void;
  savePicture: ActionContext["savePicture"];
  copy: ActionContext["copy"];
  commands: Commands;
  running: OverlayContext["running"];
  /** Between two samples of what the VMs do, milliseconds. */
  sampleMs?: number;
};

/** The program: state in, frames out; keys, clicks and pastes in, changes of the state out. */
export class App implements Disposable {
  readonly #renderer: CliRenderer;
  readonly #store: Store;
  readonly #screen: Screen;
  readonly #picture: PagePicture;
  readonly #connect: AppOptions["connect"];
  readonly #sampleMs: number | undefined;
  #session: Session | null = null;
  #attempt = 0;
  readonly #context: ActionContext & OverlayContext;
  readonly #undo = new DisposableStack();
  #canvas: Canvas<Click> | null = null;
  #theme: Theme;
  #terminalTheme: ThemeName;

  constructor(options: AppOptions) {
    const { renderer, store, theme } = options;
    this.#renderer = renderer;
    this.#store = store;
    this.#connect = options.connect;
    this.#sampleMs = options.sampleMs;
    this.#terminalTheme = theme === "terminal" ? (renderer.themeMode ?? "dark") : theme;
    this.#theme = themeNamed(this.#terminalTheme);
    const operations = () => {
      if (!this.#session) throw new Error("there is no session yet");
      return this.#session.operations;
    };
    this.#context = {
      store,
      get operations() {
        return operations();
      },
      quit: options.onQuit,
      connectTo: (target) => void this.connectTo(target),
      serve: options.serve,
      suspend: options.suspend,
      shell: options.shell,
      redraw: () => this.#screen.requestRender(),
      copy: options.copy,
      savePicture: options.savePicture,
      commands: options.commands,
      running: options.running,
      run: (action) => this.run(action),
    };
    this.#screen = new Screen(renderer, (buffer, area) => this.#paint(buffer, area));
    this.#screen.onMouseDown = (event) => this.#click(event);
    this.#screen.onMouseScroll = (event) => this.#wheel(event);
    renderer.root.add(this.#screen);
    this.#picture = new PagePicture(renderer);
    const onKey = (key: KeyEvent) => this.#key(key);
    const onPaste = (event: PasteEvent) => this.#paste(new TextDecoder().decode(event.bytes));
    renderer.keyInput.on("keypress", onKey);
    renderer.keyInput.on("paste", onPaste);
    const tick = setInterval(() => {
      if (performance.now() - this.#paintedMs > OLDEST_FRAME_MS) this.#screen.requestRender();
    }, OLDEST_FRAME_MS / 2);
    this.#undo.defer(() => {
      clearInterval(tick);
      renderer.keyInput.off("keypress", onKey);
      renderer.keyInput.off("paste", onPaste);
    });
    this.#undo.defer(store.subscribe(() => this.#changed(options)));
    if (theme === "terminal") {
      const onMode = (mode: "dark" | "light") => {
        this.#terminalTheme = mode;
        this.#screen.requestRender();
      };
      renderer.on(CliRenderEvents.THEME_MODE, onMode);
      this.#undo.defer(() => void renderer.off(CliRenderEvents.THEME_MODE, onMode));
    }
    this.#undo.defer(() => this.#session?.[Symbol.dispose]());
  }

  /** Leaves the server there was; settings, history and messages stay. */
  async connectTo(target: Target): Promise<void> {
    const attempt = ++this.#attempt;
    this.#session?.[Symbol.dispose]();
    this.#session = null;
    this.#store.update((state) => {
      const { settings, history, toasts, themeNow } = state;
      const { version: _version, ...fresh } = initialState(target.server, settings, this.#store.now());
      Object.assign(state, fresh, { history, toasts, themeNow });
    });
    try {
      const client = await this.#connect(target);
      if (attempt === this.#attempt) this.#session = new Session(client, this.#store, this.#sampleMs);
    } catch (thrown) {
      if (attempt !== this.#attempt) return;
      const error = thrown instanceof HypeError ? thrown : new HypeError("internal", messageOf(thrown));
      this.#store.update(({ connection }) => void Object.assign(connection, { status: "offline", error }));
    }
  }

  #paintedMs = 0;
  #refusedSinceMs = 0;
  #forgotSinceMs = 0;
  #rung = 0;
  /** What follows from a change of the state: a frame, a question for the key, a server to remember, the bell. */
  #changed({ bell, refused }: AppOptions): void {
    const { connection, settings, toasts } = this.#store.state;
    // What lies over the screen is finished first.
    const { overlay } = this.#store.state;
    if (connection.status === "refused" && this.#forgotSinceMs !== connection.sinceMs) {
      this.#forgotSinceMs = connection.sinceMs;
      refused(connection.server);
    }
    if (connection.status === "refused" && this.#refusedSinceMs !== connection.sinceMs && overlay === null) {
      this.#refusedSinceMs = connection.sinceMs;
      askForKey(this.#context);
    }
    if (connection.status === "online" && settings.servers[0] !== connection.server)
      this.#store.update((state) => {
        const others = state.settings.servers.filter((server) => server !== connection.server);
        state.settings.servers = [connection.server, ...others].slice(0, 9);
      });
    const newest = toasts.findLast(({ kind, stays }) => kind === "bad" && stays);
    if (newest && newest.id > this.#rung) {
      this.#rung = newest.id;
      if (settings.bell) bell();
    }
    this.#screen.requestRender();
  }

  run(action: ActionName): void {
    ACTIONS[action](this.#context);
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }

  #paint(buffer: OptimizedBuffer, area: Area): void {
    this.#paintedMs = performance.now();
    const { state } = this.#store;
    const chosen = state.themeNow ?? state.settings.theme;
    const wanted = chosen === "auto" ? this.#terminalTheme : chosen;
    if (this.#theme.name !== wanted) this.#theme = themeNamed(wanted);
    const canvas = new Canvas<Click>(buffer, this.#theme);
    if (state.detail) state.detail.pageSeen = false;
    shell(SCREENS[state.screen.name])(canvas, area, state, this.#store.now());
    if (state.overlay)
      roomOf(state.overlay.kind).draw(canvas, roomFor(area, state.overlay), state, state.overlay, this.#store.now());
    this.#canvas = canvas;
    // What lies over the screen lies over the picture, too.
    const isCovered = state.overlay !== null && LARGE.has(state.overlay.kind);
    if (isCovered && state.detail) state.detail.pageSeen = false;
    const place = isCovered ? null : canvas.picture;
    process.nextTick(() => this.#picture.place(place, state.detail?.picture?.bytes ?? null));
    const { cursor } = canvas;
    this.#renderer.setCursorPosition((cursor?.x ?? 0) + 1, (cursor?.y ?? 0) + 1, cursor !== null);
  }

  /** What is bound goes first; an overlay has all other keys to itself. */
  #key(key: Key): void {
    const { state } = this.#store;
    const binding = findBinding(whereOf(state), nameOf(key), state);
    if (binding && binding.action !== "own") this.run(binding.action);
    else if (state.overlay) roomOf(state.overlay.kind).key(state.overlay, key, this.#context);
  }

  #paste(text: string): void {
    const { overlay } = this.#store.state;
    if (overlay) roomOf(overlay.kind).paste?.(overlay, text, this.#context);
  }

  #click({ x, y, button }: MouseEvent): void {
    if (button !== 0) return;
    const spot = this.#canvas?.spotAt(x, y);
    if (spot) this.#do(spot.action);
  }

  #wheel({ x, y, scroll }: MouseEvent): void {
    const wheel = this.#canvas?.spotAt(x, y)?.wheel;
    if (wheel && scroll?.direction === "up") this.#do(wheel.up);
    if (wheel && scroll?.direction === "down") this.#do(wheel.down);
  }

  #do(click: Click): void {
    const { overlay } = this.#store.state;
    if (click.kind === "nothing") return;
    if (click.kind === "action") return this.run(click.action);
    if (click.kind === "key") return this.#key(keyNamed(click.key));
    if (click.kind === "item")
      return overlay ? roomOf(overlay.kind).click?.(overlay, click.index, this.#context) : undefined;
    this.#store.update((state) => {
      if (click.kind === "pane") return showPane(state, click.pane);
      if (click.kind === "sort") return sortBy(state, click.field);
      if (click.kind === "event") {
        if (state.screen.name !== "events") return;
        if (chosenEvent(state)?.seq === click.seq) jumpToVm(state);
        else state.journal.seq = click.seq;
        return;
      }
      // A second click on what is chosen opens it.
      if (state.fleet.cursor === click.vmId) state.screen = { name: "vm", vmId: click.vmId, pane: "overview" };
      else state.fleet.cursor = click.vmId;
    });
  }
}

/** The overlay's own functions; its kind and its state belong together, which the compiler cannot see. */
const roomOf = (kind: OverlayKind) => OVERLAYS[kind] as OverlayRoom<OverlayKind>;

/** Between header and footer, which says what keys do in it; the lines that are typed at the bottom have the footer's place. */
const roomFor = (area: Area, { kind }: Overlay): Area => (LARGE.has(kind) ? cutBottom(cutTop(area, 1)[1], 1)[0] : area);
