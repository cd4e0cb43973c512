import * as v from "valibot";
import { confirm, onPage } from "./fields.ts";
import { networkTools } from "./network.ts";
import { parsed } from "./parse.ts";
import { stateTools } from "./state.ts";
import { tabTools } from "./tabs.ts";
import type { Tool } from "./tool.ts";

type Given = Record<string, unknown>;
const OURS = [...networkTools, ...stateTools, ...tabTools] as unknown as Tool[];

/** Names of Playwright's tools, older ones too, for what ours do under another, and how their arguments are ours. */
const NAMES: [name: string, ours: string, argumentsOf: (given: Given) => Given][] = [
  ["browser_tab_list", "browser_tabs", (given) => ({ ...given, action: "list" })],
  ["browser_tab_new", "browser_tabs", (given) => ({ ...given, action: "new" })],
  ["browser_tab_select", "browser_tabs", (given) => ({ ...given, action: "select" })],
  ["browser_tab_close", "browser_tabs", (given) => ({ ...given, action: "close" })],
  ["browser_cookie_get", "browser_cookie_list", (given) => given],
  ["browser_cookie_clear", "browser_clear_state", (given) => ({ ...given, parts: ["cookies"] })],
  [
    "browser_network_state_set",
    "browser_emulate",
    ({ state, ...given }) => ({ ...given, offline: state === "offline" ? true : state === "online" ? false : state }),
  ],
  ...(["local", "session"] as const).flatMap((kind): typeof NAMES => {
    const of = ({ key, ...given }: Given): Given => ({ ...given, ...(key !== undefined && { name: key }), kind });
    return [
      [`browser_${kind}storage_list`, "browser_storage_get", of],
      [`browser_${kind}storage_get`, "browser_storage_get", of],
      [`browser_${kind}storage_set`, "browser_storage_set", of],
      [`browser_${kind}storage_delete`, "browser_storage_delete", of],
      [`browser_${kind}storage_clear`, "browser_storage_delete", of],
    ];
  }),
];

/** They can be called, and are in no list: what they do is listed under our names. */
export const renamedTools: readonly Tool[] = NAMES.map(([name, ours, argumentsOf]) => {
  const tool = OURS.find((it) => it.name === ours);
  if (!tool) throw new Error(`there is no tool ${ours}`);
  const inputOf = (given: Given) => parsed(tool.input, argumentsOf(given));
  const { question } = tool;
  return {
    ...tool,
    name,
    isDefault: false,
    input: v.looseObject(question ? { ...onPage, confirm } : { ...onPage }),
    ...(question && { question: (given: Given) => question(inputOf(given)) }),
    handle: (given, context) => tool.handle(inputOf(given), context),
  };
});
