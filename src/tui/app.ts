import {
  type CliRenderer,
  type KeyEvent,
  type MouseEvent,
  type OptimizedBuffer,
  type PasteEvent,
  Renderable,
} from "@opentui/core";
import type { Client } from "../client/types.ts";
import type { ActionContext } from "./actions/context.ts";
import { ACTIONS } from "./actions/table.ts";
import type { Area } from "./canvas/area.ts";
import { Canvas } from "./canvas/canvas.ts";
import { DetailFeed } from "./feed/detail.ts";
import type { Commands } from "./commands/commands.ts";
import { PagePicture } from "./canvas/page-picture.ts";
import { Feed } from "./feed/feed.ts";
import { Operations } from "./feed/operations.ts";
import type { ActionName } from "./keys/bindings.ts";
import { findBinding, nameOf } from "./keys/match.ts";
import { confirm } from "./overlays/confirm.ts";
import { filter } from "./overlays/filter.ts";
import { create } from "./overlays/create/create.ts";
import { help } from "./overlays/help.ts";
import type { OverlayContext, OverlayRoom } from "./overlays/overlay.ts";
import type { OverlayKind } from "./state/overlays.ts";
import type { State } from "./state/state.ts";
import { jumpToVm } from "./state/journal.ts";
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
/** The clock in the header and ages move without anybody's doing, milliseconds. */
const TICK_MS = 1_000;

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
  client: Client;
  store: Store;
  /** What the terminal seems to be; used where the settings say `auto`. */
  theme: ThemeName;
  onQuit(): void;
  savePicture: ActionContext["savePicture"];
  copy: ActionContext["copy"];
  commands: Commands;
  keepHistory: OverlayContext["keepHistory"];
  /** Between two samples of what the VMs do, milliseconds. */
  sampleMs?: number;
};

/** The program: state in, frames out; keys, clicks and pastes in, changes of the state out. */
export class App implements Disposable {
  readonly #renderer: CliRenderer;
  readonly #store: Store;
  readonly #screen: Screen;
  readonly #picture: PagePicture;
  readonly #feed: Feed;
  readonly #context: ActionContext & OverlayContext;
  readonly #undo = new DisposableStack();
  #canvas: Canvas<Click> | null = null;
  #theme: Theme;
  readonly #terminalTheme: ThemeName;

  constructor({
    renderer,
    client,
    store,
    theme,
    onQuit,
    savePicture,
    copy,
    commands,
    keepHistory,
    sampleMs,
  }: AppOptions) {
    this.#renderer = renderer;
    this.#store = store;
    this.#terminalTheme = theme;
    this.#theme = themeNamed(theme);
    this.#feed = this.#undo.use(new Feed(client, store, sampleMs));
    this.#undo.use(new DetailFeed(client, store));
    this.#context = {
      store,
      operations: new Operations(client, store),
      quit: onQuit,
      redraw: () => this.#screen.requestRender(),
      copy,
      savePicture,
      commands,
      keepHistory,
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
    const tick = setInterval(() => this.#screen.requestRender(), TICK_MS);
    this.#undo.defer(() => {
      clearInterval(tick);
      renderer.keyInput.off("keypress", onKey);
      renderer.keyInput.off("paste", onPaste);
    });
    this.#undo.defer(store.subscribe(() => this.#screen.requestRender()));
  }

  start(): void {
    this.#feed.start();
  }

  run(action: ActionName): void {
    ACTIONS[action](this.#context);
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }

  #paint(buffer: OptimizedBuffer, area: Area): void {
    const { state } = this.#store;
    const wanted = state.settings.theme === "auto" ? this.#terminalTheme : state.settings.theme;
    if (this.#theme.name !== wanted) this.#theme = themeNamed(wanted);
    const canvas = new Canvas<Click>(buffer, this.#theme);
    shell(SCREENS[state.screen.name])(canvas, area, state, this.#store.now());
    if (state.overlay) roomOf(state.overlay.kind).draw(canvas, area, state, state.overlay);
    this.#canvas = canvas;
    // What lies over the screen lies over the picture, too.
    const place = state.overlay && LARGE.has(state.overlay.kind) ? null : canvas.picture;
    process.nextTick(() => this.#picture.place(place, state.detail?.picture?.bytes ?? null));
    const { cursor } = canvas;
    this.#renderer.setCursorPosition((cursor?.x ?? 0) + 1, (cursor?.y ?? 0) + 1, cursor !== null);
  }

  #key(key: KeyEvent): void {
    const { overlay, screen } = this.#store.state;
    const name = nameOf(key);
    if (!overlay) {
      const binding = findBinding(screen.name, name);
      if (binding) this.run(binding.action);
      return;
    }
    // An overlay has the keys to itself; only what is bound for it, and leaving, go before what it types.
    const binding = findBinding(overlay.kind, name);
    const leaves = name === "ctrl+c" && overlay.kind !== "output";
    if (binding && (binding.where.includes(overlay.kind) || leaves)) this.run(binding.action);
    else roomOf(overlay.kind).key(overlay, key, this.#context);
  }

  #paste(text: string): void {
    const { overlay } = this.#store.state;
    if (overlay) roomOf(overlay.kind).paste?.(overlay, text, this.#context);
  }

  #click({ x, y, button }: MouseEvent): void {
    if (button !== 0 || this.#store.state.overlay) return;
    const spot = this.#canvas?.spotAt(x, y);
    if (spot) this.#do(spot.action);
  }

  #wheel({ x, y, scroll }: MouseEvent): void {
    const wheel = this.#canvas?.spotAt(x, y)?.wheel;
    if (wheel && scroll?.direction === "up") this.#do(wheel.up);
    if (wheel && scroll?.direction === "down") this.#do(wheel.down);
  }

  #do(click: Click): void {
    if (click.kind === "action") return this.run(click.action);
    this.#store.update((state) => {
      if (click.kind === "pane") {
        if (state.screen.name === "vm") state.screen = { ...state.screen, pane: click.pane };
        return;
      }
      if (click.kind === "event") {
        if (state.screen.name !== "events") return;
        if (state.journal.cursor === click.index) jumpToVm(state);
        else state.journal.cursor = click.index;
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
