import type { ControlCommand, LiveMessage, PageMessage } from "../contract/index.ts";
import { showAddress, watchAddress } from "./address.ts";
import { showChoices, watchChoices } from "./choices.ts";
import { expectCopy, takeCopy } from "./clipboard.ts";
import { Connection, type State } from "./connection.ts";
import { type ControlMessage, pointAtTake, showControl, watchControl } from "./control.ts";
import { Downloads } from "./downloads.ts";
import { showDialog, watchDialog } from "./dialog.ts";
import { element } from "./element.ts";
import { Files } from "./files.ts";
import { focusPage } from "./focus.ts";
import { watchKeyboard } from "./keyboard.ts";
import { draw, showCursor } from "./picture.ts";
import { watchPointer } from "./pointer.ts";
import { showTabs, type TabsMessage } from "./tabs.ts";
import { say } from "./toast.ts";
import { pageId, takeToken } from "./token.ts";
import { stopMatching, watchCommand, watchView } from "./view.ts";

const path = /^\/live\/[^/]+/.exec(location.pathname)?.[0] ?? "/live/-";
const name = decodeURIComponent(path.slice("/live/".length));
document.title = `${name} · live view`;
element("vm-name").textContent = name;

let isLive = false;
let viewOnly = true;
let tabs: TabsMessage = { type: "tabs", watched: null, loading: false, items: [] };
let control: ControlMessage = { type: "control", control: null, mine: false, watchers: 1 };
let dialog: Extract<LiveMessage, { type: "dialog" }>["dialog"] = null;
/** A tab somebody without control looks at; null: the one in use, followed. */
let pinned: string | null = null;

const holds = () => isLive && control.mine;
const act = (command: ControlCommand) => holds() && connection?.send(command);
const look = () => connection?.send(document.hidden ? { type: "pause" } : watchCommand(pinned));

/** Who may not look any more does not see the last of it either. */
function forget(): void {
  tabs = { type: "tabs", watched: null, loading: false, items: [] };
  control = { type: "control", control: null, mine: false, watchers: 0 };
  viewOnly = true;
  element("picture").hidden = true;
  element("control").hidden = true;
}

/** Everything that depends on who has control, on the tabs and on the connection. */
function show(): void {
  const current = tabs.items.find(({ id }) => id === tabs.watched);
  showTabs(tabs, holds(), { choose, close: (tab) => act({ type: "tabs", action: "close", tab }) });
  showAddress(current?.url ?? "", tabs.loading, holds());
  showControl(control, viewOnly, isLive);
  showDialog(dialog, holds());
  if (!holds()) {
    showChoices(null, false);
    files?.show(null);
    downloads?.clear();
    stopMatching();
    showCursor("default");
  }
  element<HTMLTextAreaElement>("keys").disabled = !holds();
  element<HTMLButtonElement>("keyboard").disabled = !holds();
}

/** Who has control changes the tab for everybody, who watches only their own view; once more lets go of it. */
function choose(tab: string): void {
  pinned = holds() || pinned === tab ? null : tab;
  act({ type: "tabs", action: "activate", tab });
  look();
}

function changed(state: State): void {
  document.body.dataset.state = state.name;
  document.body.classList.toggle("away", state.name !== "live");
  element("state-text").textContent = state.words;
  isLive = state.name === "live";
  dialog = null; // one that is still open is told of again
  if (isLive) look();
  else control = { ...control, mine: false };
  if (state.name === "over") forget();
  show();
}

function heard(message: LiveMessage | PageMessage): void {
  switch (message.type) {
    case "link":
      viewOnly = message.link.view_only;
      break;
    case "control": {
      const isNew = message.mine && !control.mine;
      control = message;
      if (!isNew) break;
      pinned = null;
      look();
      show();
      return focusPage();
    }
    case "tabs":
      tabs = message;
      if (pinned !== null && !tabs.items.some(({ id }) => id === pinned)) pinned = null;
      break;
    case "dialog":
      dialog = message.dialog;
      break;
    case "choices":
      return showChoices(message.choices, holds());
    case "files_wanted":
      return files?.show(holds() ? message.wanted : null);
    case "download":
      return holds() ? downloads?.show(message.download) : undefined;
    case "clipboard":
      return void takeCopy(message.text);
    case "cursor":
      return holds() ? showCursor(message.cursor) : undefined;
    case "error":
      return say(message.message);
  }
  show();
}

let connection: Connection | null = null;
let files: Files | null = null;
let downloads: Downloads | null = null;
watchPointer({
  holds,
  send: act,
  refused() {
    if (isLive && !viewOnly) say("Take control to click and type.");
    pointAtTake();
  },
});
watchKeyboard({
  holds,
  send: act,
  copy(cut) {
    expectCopy();
    act({ type: "copy", cut });
  },
  leave: () => element("take").focus(),
});
watchDialog(act);
watchChoices(act);
watchAddress(act);
watchControl((command) => connection?.send(command));
watchView(look, act);
element("keyboard").addEventListener("click", () => element("keys").focus({ preventScroll: true }));
document.addEventListener("visibilitychange", look);
addEventListener("hashchange", () => location.reload()); // another link for this page

const token = takeToken();
if (token === null) changed({ name: "over", words: `This page is opened by a link. “hype live ${name}” makes one.` });
else {
  const page = pageId();
  downloads = new Downloads({ path, token, page });
  files = new Files(holds, act, { path, token, page, tab: () => tabs.watched });
  connection = new Connection(path, token, page, {
    state: changed,
    message: heard,
    picture: (head, image) => void draw(head, image, (frame) => connection?.send({ type: "ack", frame })),
  });
}
