import * as v from "valibot";
import { Content, HypeError, Snapshot } from "../contract/index.ts";
import { elementOf, onPage, target, words } from "./fields.ts";
import { askElement, framesOf, locatorFor, roleSelector, textSelector } from "./locator.ts";
import { line } from "./markdown.ts";
import { onTab, type OnTab } from "./on-tab.ts";
import { family } from "./tool.ts";

const tool = family("testing");
const VALUE_TYPES = ["textbox", "checkbox", "radio", "combobox", "slider"] as const;
const done = { text: "Verified." };

const failed = (message: string): HypeError => new HypeError("verification_failed", message);

/** Checks of a page as it is now: nothing is waited for. */
export const verifyTools = [
  tool({
    name: "browser_verify_element_visible",
    title: "Verify an element",
    description: "Fails unless an element of this role and accessible name is visible, in any frame.",
    input: v.strictObject({
      ...onPage,
      role: v.pipe(words(50), v.regex(/^[a-z]+$/, "is no role")),
      accessibleName: words(2_000),
    }),
    effect: "read",
    isIdempotent: true,
    handle: ({ role, accessibleName: name, ...place }, context) =>
      onTab(context, place, async (on) => {
        if (await isAnywhere(on, roleSelector(role, name))) return done;
        throw failed(`there is no visible ${role} with the name ${quoted(name)}`);
      }),
  }),
  tool({
    name: "browser_verify_text_visible",
    title: "Verify a text",
    description: "Fails unless this text is visible, in any frame. Better: browser_verify_element_visible.",
    input: v.strictObject({ ...onPage, text: words(2_000) }),
    effect: "read",
    isIdempotent: true,
    handle: ({ text, ...place }, context) =>
      onTab(context, place, async (on) => {
        if (await isAnywhere(on, `${textSelector(text)} >> visible=true`)) return done;
        throw failed(`the text ${quoted(text)} is not visible`);
      }),
  }),
  tool({
    name: "browser_verify_list_visible",
    title: "Verify a list",
    description: "Fails unless the element shows each of these texts, in any case.",
    input: v.strictObject({
      ...onPage,
      target,
      items: v.pipe(v.array(words(2_000)), v.minLength(1), v.maxLength(500)),
    }),
    effect: "read",
    isIdempotent: true,
    handle: ({ target: list, items, ...place }, context) =>
      onTab(context, place, async (on) => {
        const request = v.parse(Content, { ...elementOf(list), format: "text", readable: false, tab: on.tab });
        const { content } = await on.guest.content(request, on.signal);
        const shown = plain(content);
        const missing = items.filter((item) => !shown.includes(plain(item)));
        if (missing.length === 0) return done;
        throw failed(`the element does not show ${missing.slice(0, 5).map(quoted).join(", ")}`);
      }),
  }),
  tool({
    name: "browser_verify_value",
    title: "Verify a value",
    description: "Fails unless the field has this value; true or false for checkbox and radio.",
    input: v.strictObject({
      ...onPage,
      type: v.picklist(VALUE_TYPES),
      target,
      value: v.pipe(v.string(), v.maxLength(1_000_000)),
    }),
    effect: "read",
    isIdempotent: true,
    handle: ({ type, target: field, value: wanted, ...place }, context) =>
      onTab(context, place, async (on) => {
        const { checked, values } = await askElement(on, elementOf(field), STATE, State);
        const has = type === "checkbox" || type === "radio" ? (checked === null ? [] : [String(checked)]) : values;
        if (has.includes(wanted)) return done;
        throw failed(
          has.length === 0
            ? `the element is no ${type}`
            : `the value is ${quoted(has[0] as string)}, not ${quoted(wanted)}`,
        );
      }),
  }),
  tool({
    name: "browser_generate_locator",
    title: "Locator for a test",
    description: "Playwright's locator of an element, for a test: it means this one and no other of the page.",
    input: v.strictObject({ ...onPage, target }),
    output: v.object({ locator: v.string() }),
    effect: "read",
    isIdempotent: true,
    handle: ({ target: wanted, ...place }, context) =>
      onTab(context, place, async (on) => {
        const locator = await locatorFor(on, elementOf(wanted));
        return { text: line(locator, 10_000), structured: { locator } };
      }),
  }),
];

const quoted = (text: string): string => JSON.stringify(line(text, 200));
const plain = (text: string): string => text.replace(/\s+/g, " ").trim().toLowerCase();

/** What a field holds: what it is sent as, and how it reads where that is another thing. */
const STATE = `(element) => {
  const field = element instanceof HTMLLabelElement && element.control ? element.control : element;
  const said = field.getAttribute("aria-checked");
  const isBox = field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");
  return {
    checked: isBox ? field.checked : said === null ? null : said === "true",
    values: isBox ? [] : [
      typeof field.value === "string" ? field.value : null,
      field instanceof HTMLSelectElement ? [...field.selectedOptions].map(({ label }) => label).join(", ") : null,
      field.getAttribute("aria-valuenow"), field.isContentEditable ? field.innerText : null,
    ].filter((value) => value !== null),
  };
}`;
const State = v.object({ checked: v.nullable(v.boolean()), values: v.array(v.string()) });

/** Whether something matches, in the page or a frame of it. */
async function isAnywhere(on: OnTab, selector: string): Promise<boolean> {
  if (await isThere(on, selector)) return true;
  for (const frame of await framesOf(on)) if (await isThere(on, selector, frame)) return true;
  return false;
}

/** A frame that went away meanwhile has nothing. */
async function isThere(on: OnTab, selector: string, frame?: string): Promise<boolean> {
  const request = v.parse(Snapshot, { selector, ...(frame && { frame }), max_chars: 200, tab: on.tab });
  try {
    await on.guest.page.snapshot(request, on.signal);
    return true;
  } catch (thrown) {
    const { code = null } = thrown instanceof HypeError ? thrown : {};
    if (code === "element_ambiguous") return true;
    if (code === "element_not_found") return false;
    if (frame !== undefined && (code === "stale_ref" || code === "element_unsuitable")) return false;
    throw thrown;
  }
}
