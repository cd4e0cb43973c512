import * as v from "valibot";
import { HypeError, OnTab, OpenTab, LinkList, type Tab } from "../contract/index.ts";
import { onPage, snapshot, words } from "./fields.ts";
import { joined, line, listed, section } from "./markdown.ts";
import { givenBack, onBrowser, onTab } from "./on-tab.ts";
import { pageResult, PlaceShown } from "./page-result.ts";
import { parsed } from "./parse.ts";
import { family } from "./tool.ts";

const tool = family("browser");

const tabLine = ({ id, url, title, isolated }: Tab, index: number, mine: string | null): string =>
  `${index}: [${line(title) || "no title"}](${line(url, 500)}) tab ${id}${isolated ? ", isolated" : ""}${id === mine ? " (yours)" : ""}`;

export const tabTools = [
  tool({
    name: "browser_tabs",
    title: "Tabs",
    description:
      "Lists tabs, opens a new one, selects (by index or tab id) the one you go on with, or closes one. Those you open close when you leave.",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      action: v.picklist(["list", "new", "close", "select"]),
      index: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      url: v.optional(words(2_097_152)),
    }),
    isOpenWorld: true,
    handle: ({ vm: ref, tab, action, index, url }, context) =>
      onBrowser(context, ref, async (guest, signal, vmKey) => {
        const { tabs } = context;
        if (action === "new") {
          const opened = await guest.openTab(parsed(OpenTab, url === undefined ? {} : { url }), signal);
          tabs.opened(vmKey, opened.tab, { ...givenBack(context.house, guest, vmKey, opened.tab), isWanted: true });
          tabs.use(vmKey, opened.tab);
        } else if (action !== "list") {
          const { items } = await guest.tabs(signal);
          const chosen = tab ?? (index === undefined ? tabs.current(vmKey) : (items[index]?.id ?? null));
          if (chosen === null || !items.some(({ id }) => id === chosen))
            throw new HypeError(
              "tab_not_found",
              `there is no tab ${tab ?? index ?? "of yours"}; there are ${items.length}`,
            );
          if (action === "close") {
            await guest.closeTab(v.parse(OnTab, { tab: chosen }), signal);
            tabs.forget(vmKey, chosen);
          } else {
            await guest.activateTab(v.parse(OnTab, { tab: chosen }), signal);
            tabs.use(vmKey, chosen);
          }
        }
        const { items } = await guest.tabs(signal);
        const mine = tabs.current(vmKey);
        return {
          text: section("Open tabs", listed(items.map((it, at) => tabLine(it, at, mine))) || "none"),
          structured: { tabs: items.map(({ id, url: at, title }) => ({ tab: id, url: at, title })), yours: mine },
        };
      }),
  }),
  tool({
    name: "browser_close",
    title: "Close your tab",
    description: "Closes your tab. The VM runs on.",
    isDefault: true,
    input: v.strictObject(onPage),
    handle: (input, context) =>
      onBrowser(context, input.vm, async (guest, signal, vmKey) => {
        const { tabs } = context;
        const chosen = input.tab ?? tabs.current(vmKey);
        if (chosen === null) return { text: "You have no tab open." };
        await guest.closeTab(v.parse(OnTab, { tab: chosen }), signal);
        tabs.forget(vmKey, chosen);
        return { text: `Tab ${chosen} is closed.` };
      }),
  }),
  tool({
    name: "browser_handle_dialog",
    title: "Answer dialogs",
    description:
      "Answers the dialog that is open; if none is, says how the next ones of your tab are answered (else: alerts confirmed, questions with no).",
    isDefault: true,
    input: v.strictObject({
      ...onPage,
      accept: v.boolean(),
      promptText: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
      snapshot,
    }),
    handle: (input, context) =>
      onTab(context, input, async (on) => {
        const { observe } = on.guest;
        const answer = { ...(input.promptText !== undefined && { prompt_text: input.promptText }), timeout_ms: 15_000 };
        const { items } = await observe.list(
          { kinds: ["dialog"], tab: on.tab, after: 0, limit: 500, timeout_ms: 15_000 },
          on.signal,
        );
        const open = items.findLast((entry) => entry.kind === "dialog" && entry.state === "open");
        if (open) {
          await observe.answerDialog({ id: open.id, accept: input.accept, ...answer }, on.signal);
          return { text: `The dialog was ${input.accept ? "accepted" : "dismissed"}.` };
        }
        await observe.setDialogPolicy(
          { policy: input.accept ? "accept" : "dismiss", tab: on.tab, ...answer },
          on.signal,
        );
        return {
          text: `No dialog is open. The next ones of tab ${on.tab} will be ${input.accept ? "accepted" : "dismissed"}: do again what opens one.`,
        };
      }),
  }),
  tool({
    name: "browser_resize",
    title: "Resize the page",
    description: "Sets the size of your tab's viewport in CSS pixels.",
    isDefaultForOne: true,
    input: v.strictObject({
      ...onPage,
      width: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)),
      height: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)),
    }),
    isIdempotent: true,
    handle: ({ width, height, ...place }, context) =>
      onTab(context, place, async (on) => {
        await on.guest.overlay.emulate({ viewport: { width, height }, tab: on.tab, timeout_ms: 30_000 }, on.signal);
        return { text: `The viewport is ${width}x${height}.` };
      }),
  }),
  tool({
    name: "browser_stop",
    title: "Stop loading",
    description: "Stops a page that does not come to an end of loading.",
    input: v.strictObject({ ...onPage, snapshot }),
    output: PlaceShown,
    handle: (input, context) =>
      onTab(context, input, async (on) =>
        pageResult(on, await on.guest.stop(v.parse(OnTab, { tab: on.tab }), on.signal), input.snapshot),
      ),
  }),
  tool({
    name: "page_links",
    title: "Links of the page",
    description: "Links of the page with their addresses and refs.",
    input: v.strictObject({
      ...onPage,
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 100),
    }),
    output: v.object({ items: LinkList.entries.items, total: v.number() }),
    effect: "read",
    isIdempotent: true,
    handle: ({ limit, ...place }, context) =>
      onTab(context, place, async (on) => {
        const { items, total } = await on.guest.page.links({ limit, tab: on.tab, timeout_ms: 30_000 }, on.signal);
        const lines = items.map(
          ({ ref, text, url }) => `[ref=${ref}] ${line(text, 150) || "(no text)"}: ${line(url, 500)}`,
        );
        const more = total > items.length && `${total - items.length} more: raise limit.`;
        return { text: joined(listed(lines) || "The page has no links.", more), structured: { items, total } };
      }),
  }),
];
