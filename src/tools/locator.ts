import * as v from "valibot";
import { Evaluate, HypeError, Snapshot } from "../contract/index.ts";
import type { OnTab } from "./on-tab.ts";
import { parsed } from "./parse.ts";

/** An element by ref or selector; `frame`: the ref of the iframe in which the selector is looked for. */
export type Meant = { ref?: string; selector?: string; frame?: string };

const WHOLE_CHARACTERS = 400_000;
const TEXT_CHARACTERS = 80;
/** Longer selectors nobody reads. */
const SELECTOR_CHARACTERS = 8_000;

/** Steps from the root of each shadow tree down to an element: equal ones are of one element. */
const PATH = `(element) => {
  const scopes = [];
  let steps = [];
  for (let at = element; at; ) {
    const alike = [...(at.parentNode?.children ?? [at])].filter(({ localName }) => localName === at.localName);
    const tag = CSS.escape(at.localName);
    steps.unshift(alike.length > 1 ? tag + ":nth-of-type(" + (alike.indexOf(at) + 1) + ")" : tag);
    if (at.parentElement) at = at.parentElement;
    else {
      scopes.unshift(steps.join(" > "));
      steps = [];
      at = at.parentNode?.host ?? null;
    }
  }
  return scopes;
}`;
const FACTS = `(element) => {
  const of = (name) => element.getAttribute(name) ?? "";
  const text = (element.innerText ?? element.textContent ?? "").replace(/\\s+/g, " ").trim();
  return {
    path: (${PATH})(element), testId: of("data-testid"), placeholder: of("placeholder"), alt: of("alt"), title: of("title"), id: of("id"),
    text: text.length <= ${TEXT_CHARACTERS} && !/^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName) ? text : "",
  };
}`;
const Path = v.pipe(v.array(v.pipe(v.string(), v.maxLength(SELECTOR_CHARACTERS))), v.maxLength(100));
const Facts = v.object({
  path: Path,
  ...v.entriesFromList(
    ["testId", "placeholder", "alt", "title", "id", "text"],
    v.pipe(v.string(), v.maxLength(10_000)),
  ),
});

/** A selector of ours, and the call of Playwright's that means the same. */
type Candidate = { selector: string; call: string };

/** What a page's script gives of an element. @throws HypeError as evaluate's; element_unsuitable where the page answers what is none */
export async function askElement<Schema extends v.GenericSchema>(
  { guest, tab, signal }: OnTab,
  meant: Meant,
  expression: string,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const { value } = await guest.evaluate(parsed(Evaluate, { ...meant, expression, tab }), signal);
  const found = v.safeParse(schema, value);
  if (!found.success) throw new HypeError("element_unsuitable", "the page does not tell what the element is");
  return found.output;
}

/**
 * The shortest way Playwright would name an element, and no other of the page: by test id, role and name, its words, else by its place.
 * @throws HypeError stale_ref | element_not_found | element_ambiguous
 */
export async function locatorFor(on: OnTab, meant: Meant): Promise<string> {
  const frames = meant.ref === undefined ? [] : await framesAround(on, meant.ref);
  const calls: string[] = [];
  let within: string | undefined;
  for (const ref of frames) {
    calls.push(`${await callFor(on, { ref }, within)}.contentFrame()`);
    within = ref;
  }
  return [...calls, await callFor(on, meant, within)].join(".");
}

async function callFor(on: OnTab, meant: Meant, frame: string | undefined): Promise<string> {
  const facts = await askElement(on, meant, FACTS, Facts);
  const place = { selector: facts.path.join(" >> "), call: facts.path.map((css) => `locator(${js(css)})`).join(".") };
  for (const { selector, call } of [...candidates(facts, await roleOf(on, meant)), place])
    if (selector.length <= SELECTOR_CHARACTERS && (await isIt(on, { selector, ...(frame && { frame }) }, facts.path)))
      return call;
  throw new HypeError("element_ambiguous", "nothing names this element and no other of the page");
}

/** Whether a selector means the element with this path, and it alone. */
async function isIt(on: OnTab, meant: Meant, path: readonly string[]): Promise<boolean> {
  try {
    return (await askElement(on, meant, PATH, Path)).join(">>") === path.join(">>");
  } catch (thrown) {
    const { code = null } = thrown instanceof HypeError ? thrown : {};
    if (code === "element_not_found" || code === "element_ambiguous") return false;
    throw thrown;
  }
}

/** Best first. Names and words are matched by a part of them in any case, as Playwright's are; where that is not enough, wholly. */
function candidates(facts: v.InferOutput<typeof Facts>, { role, name }: { role: string; name: string }): Candidate[] {
  const { testId, placeholder, alt, title, id, text } = facts;
  const attribute = (key: string, value: string, call: string): Candidate[] =>
    value === ""
      ? []
      : [
          { selector: `[${key}*=${css(value)} i]`, call: `${call}(${js(value)})` },
          { selector: `[${key}=${css(value)}]`, call: `${call}(${js(value)}, { exact: true })` },
        ];
  return [
    ...(testId === "" ? [] : [{ selector: `[data-testid=${css(testId)}]`, call: `getByTestId(${js(testId)})` }]),
    ...(role === "" || name === ""
      ? []
      : [
          { selector: roleSelector(role, name), call: `getByRole(${js(role)}, { name: ${js(name)} })` },
          {
            selector: `role=${role}[name=/^${literal(name)}$/]`,
            call: `getByRole(${js(role)}, { name: ${js(name)}, exact: true })`,
          },
        ]),
    ...attribute("placeholder", placeholder, "getByPlaceholder"),
    ...attribute("alt", alt, "getByAltText"),
    ...(text === ""
      ? []
      : [
          { selector: textSelector(text), call: `getByText(${js(text)})` },
          { selector: `text=/^${literal(text)}$/`, call: `getByText(${js(text)}, { exact: true })` },
        ]),
    ...attribute("title", title, "getByTitle"),
    ...(id === "" ? [] : [{ selector: `[id=${css(id)}]`, call: `locator(${js(`[id=${css(id)}]`)})` }]),
    ...(role === "" ? [] : [{ selector: `role=${role}`, call: `getByRole(${js(role)})` }]),
  ];
}

/** Role and name as a snapshot shows them; both empty where the element means nothing by itself. */
async function roleOf(on: OnTab, { ref, selector }: Meant): Promise<{ role: string; name: string }> {
  const request = v.parse(Snapshot, { ...(ref ? { ref } : { selector }), max_chars: 2_000, tab: on.tab });
  const { yaml } = await on.guest.page.snapshot(request, on.signal);
  const [first = ""] = yaml.split("\n");
  const key = first.startsWith("- '") ? first.slice(3).replaceAll("''", "'") : first.slice(2);
  const [, role = "", quoted] = /^([a-z]+)(?: ("(?:[^"\\]|\\.)*"))?/.exec(key) ?? [];
  return NO_ROLES.has(role) ? { role: "", name: "" } : { role, name: unquoted(quoted) };
}

/** A name as the guest wrote it; empty where that is none. */
function unquoted(json = '""'): string {
  try {
    return JSON.parse(json) as string;
  } catch {
    return "";
  }
}

/** Words of snapshots that are no ARIA roles. */
const NO_ROLES = new Set(["", "generic", "text", "iframe"]);

const IFRAME = /^( *)- '?iframe\b.*\[ref=((?:f\d+)?e\d+)\]/;
const linesOf = async ({ guest, tab, signal }: OnTab): Promise<string[]> => {
  const { yaml } = await guest.page.snapshot(v.parse(Snapshot, { max_chars: WHOLE_CHARACTERS, tab }), signal);
  return yaml.split("\n");
};

/** Refs of all frames of the page. */
export const framesOf = async (on: OnTab): Promise<string[]> =>
  (await linesOf(on)).flatMap((line) => IFRAME.exec(line)?.[2] ?? []);

/** Refs of the frames an element lies in, from the outside in. */
async function framesAround(on: OnTab, ref: string): Promise<string[]> {
  const prefix = /^(f\d+)?/.exec(ref)?.[0] ?? "";
  const lines = await linesOf(on);
  const own = lines.findIndex((line) => line.includes(`[ref=${prefix}e`));
  const around: string[] = [];
  let depth = own < 0 ? 0 : indentOf(lines[own] as string);
  for (let at = own - 1; at >= 0 && depth > 0; at--) {
    const line = lines[at] as string;
    if (indentOf(line) >= depth) continue;
    depth = indentOf(line);
    const found = IFRAME.exec(line)?.[2];
    if (found !== undefined) around.unshift(found);
  }
  return around;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** A text as a regular expression that holds nothing a selector's own grammar could read. */
const literal = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[^A-Za-z0-9 ]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Elements of a role whose name has these words, in any case. */
export const roleSelector = (role: string, name: string): string => `role=${role}[name=/${literal(name)}/i]`;
/** The smallest elements that have these words, in any case. */
export const textSelector = (text: string): string => `text=/${literal(text)}/i`;

const css = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  `"${text.replace(/["\\\u0000-\u001f\u007f]/g, (char) => `\\${char.charCodeAt(0).toString(16)} `)}"`;
const js = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
