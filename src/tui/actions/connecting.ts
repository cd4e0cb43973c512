import { EMPTY, lineOf } from "../canvas/line-editor.ts";
import type { MenuItem } from "../state/overlays.ts";
import { THEME_NAMES } from "../theme/themes.ts";
import { COLUMN_IDS } from "../views/fleet.ts";
import type { Action, ActionContext } from "./context.ts";

const MOST_SERVERS = 9;

/** What a person types for a server becomes a URL. */
const serverUrl = (text: string): string => {
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  return url.replace(/\/+$/, "");
};

/** Asks where another server is, and goes there. */
export const askForServer: Action = ({ store, connectTo }) =>
  store.update((state) => {
    state.overlay = {
      kind: "prompt",
      title: "Address of the server",
      hint: "http://127.0.0.1:7777",
      line: lineOf(state.connection.server),
      hidden: false,
      submit: (text) => connectTo({ server: serverUrl(text), key: null }),
    };
  });

/** Asks for a key of the server. It is kept in memory only. */
export function askForKey({ store, connectTo }: Pick<ActionContext, "store" | "connectTo">): void {
  store.update((state) => {
    const { server } = state.connection;
    state.overlay = {
      kind: "prompt",
      title: `Key for ${server.replace(/^https?:\/\//, "")}`,
      hint: "hype_…; escape leaves it",
      line: EMPTY,
      hidden: true,
      submit: (key) => connectTo({ server, key }),
    };
  });
}

/** The servers that were seen before. */
export const chooseServer: Action = (context) =>
  context.store.update((state) => {
    const items: MenuItem[] = state.settings.servers.slice(0, MOST_SERVERS).map((server, at) => ({
      key: String(at + 1),
      label: server,
      run: () => context.connectTo({ server, key: null }),
    }));
    items.push({ key: "o", label: "another address …", run: () => askForServer(context) });
    state.overlay = { kind: "menu", title: "Servers", items, cursor: 0 };
  });

/** Which columns of the fleet are shown; the name always is. */
export const chooseColumns: Action = (context) =>
  context.store.update((state) => {
    const { hiddenColumns } = state.settings;
    const items = COLUMN_IDS.filter((id) => id !== "name").map((id, at): MenuItem => {
      const isHidden = hiddenColumns.includes(id);
      return {
        key: String(at + 1),
        label: `${isHidden ? "○" : "●"} ${id}`,
        run: () => {
          context.store.update(({ settings }) => {
            settings.hiddenColumns = isHidden ? hiddenColumns.filter((other) => other !== id) : [...hiddenColumns, id];
          });
          chooseColumns(context);
        },
      };
    });
    const cursor = state.overlay?.kind === "menu" ? state.overlay.cursor : 0;
    state.overlay = { kind: "menu", title: "Columns; escape closes", items, cursor };
  });

/** auto, then each theme, then auto again. */
export const nextTheme: Action = ({ store }) => {
  const all = ["auto", ...THEME_NAMES] as const;
  const { settings, themeNow } = store.state;
  const next = all[(all.indexOf(themeNow ?? settings.theme) + 1) % all.length] ?? "auto";
  store.update((state) => {
    state.settings.theme = next;
    state.themeNow = null;
  });
  store.toast("info", `theme: ${next}`);
};

export const toggleBell: Action = ({ store }) => {
  store.update(({ settings }) => void (settings.bell = !settings.bell));
  store.toast("info", store.state.settings.bell ? "the bell rings when a VM crashes" : "the bell is silent");
};
