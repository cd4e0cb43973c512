import * as v from "valibot";
import { type Acted, Snapshot } from "../contract/index.ts";
import { fenced, joined, line, listed, pageHead, section } from "./markdown.ts";
import type { OnTab } from "./on-tab.ts";
import type { ToolResult } from "./tool.ts";

/** Characters of a snapshot where the caller says nothing: about 10,000 tokens. */
export const SNAPSHOT_CHARACTERS = 40_000;

/** What `structured` tells of a page. */
export const PlaceShown = v.object({ tab: v.string(), url: v.string(), title: v.string() });
type Place = { tab: string; url: string; title: string };

/** What a page is after something was done on it; with its snapshot where that was asked for. */
export async function pageResult(
  on: OnTab,
  place: Place,
  wantsSnapshot: boolean | undefined,
  ...said: string[]
): Promise<ToolResult> {
  const { tab, url, title } = place;
  const seen = wantsSnapshot ? await snapshotOf(on, {}) : null;
  return {
    text: joined(...said, seen ? seen.text : pageHead(place)),
    structured: { tab, url, title },
  };
}

/** Characters of a snapshot that is made shallow afterwards. */
const WHOLE_CHARACTERS = 4_000_000;

/** The page as its accessibility tree. @param depth levels of it; default: all */
export async function snapshotOf(
  on: OnTab,
  wanted: { ref?: string; selector?: string; max_chars?: number },
  depth?: number,
): Promise<ToolResult> {
  const most = wanted.max_chars ?? SNAPSHOT_CHARACTERS;
  const max_chars = depth === undefined ? most : WHOLE_CHARACTERS;
  const request = v.parse(Snapshot, { ...wanted, max_chars, tab: on.tab });
  const { yaml: whole, truncated, ...place } = await on.guest.page.snapshot(request, on.signal);
  const shallow = depth === undefined ? whole : shallower(whole, depth);
  const yaml = shallow.length > most && depth !== undefined ? shallow.slice(0, most) : shallow;
  const cutOff =
    (truncated || yaml.length < shallow.length) &&
    "The snapshot was cut: take one of a part (`target`), or more (`max_chars`).";
  return { text: joined(pageHead(place), section("Snapshot", fenced(yaml, "yaml")), cutOff), structured: place };
}

/** The upper levels of a tree: two spaces of indent are one. */
const shallower = (yaml: string, depth: number): string =>
  yaml
    .split("\n")
    .filter((text) => text.length - text.trimStart().length < 2 * depth)
    .join("\n");

/** What an action came to: the page, and what it asked meanwhile. */
export const actedResult = (on: OnTab, acted: Acted, wantsSnapshot: boolean | undefined): Promise<ToolResult> =>
  pageResult(on, acted, wantsSnapshot, ...[dialogsSaid(acted)].filter(Boolean));

/** What the page asked meanwhile, and how to have it answered otherwise. */
export function dialogsSaid({ dialogs, dialogs_dropped: dropped, dialog_open: isOpen }: Acted): string {
  if (dialogs.length === 0 && dropped === 0) return "";
  const many = dropped === 1 ? "1 dialog" : `${dropped} dialogs`;
  return section(
    "Dialogs",
    joined(
      dropped > 0 && `${many} before these ${dropped === 1 ? "is" : "are"} not shown: the page asks and asks.`,
      listed(dialogs.map(({ type, message }) => `${type}: ${line(message, 1_000)}`)),
      isOpen
        ? "The last one is open: answer it with browser_handle_dialog."
        : "They were answered as this tab's dialogs are (alerts confirmed, questions with no, unless browser_handle_dialog said otherwise).",
    ),
  );
}
