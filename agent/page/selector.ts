import { isVisible, normalize, childrenOf, rootsOf } from "./dom.ts";
import { nameOf } from "./names.ts";
import { levelOf, roleOf } from "./roles.ts";
import { checkedOf, expandedOf } from "./snapshot.ts";

/** A selector that cannot be read; the message says why. */
export class BadSelector extends Error {}

type Scope = Document | ShadowRoot | Element;
/** `inside`: whether a text around it can hold one that matches; it spares the search of whatever cannot. */
type Matcher = { matches(text: string): boolean; inside(text: string): boolean };

/**
 * Elements of this document that a selector means, in document order. Parts joined by ` >> `, each searched inside what the one
 * before found: CSS, `text=words` (or `"exact words"`, `/pattern/flags`), `role=button[name="Go"]`, `xpath=…`, `nth=0`, `visible=true`.
 * CSS and text look into open shadow roots.
 * @throws BadSelector
 */
export function query(selector: string): Element[] {
  let found: Scope[] = [document];
  for (const part of split(selector)) {
    const nth = /^nth=(-?\d+)$/.exec(part);
    if (nth) found = found.slice(Number(nth[1]), Number(nth[1]) + 1 || undefined);
    else if (/^visible=(true|false)$/.test(part))
      found = found.filter((scope) => scope instanceof Element && isVisible(scope) === part.endsWith("true"));
    else found = [...new Set(found.flatMap((scope) => one(scope, part)))];
  }
  return found.filter((scope) => scope instanceof Element);
}

/** At ` >> ` outside of quotes and brackets. */
function split(selector: string): string[] {
  const parts = [""];
  let quote = "";
  for (let i = 0; i < selector.length; i++) {
    const char = selector[i]!;
    if (char === "\\") parts[parts.length - 1] += char + (selector[++i] ?? "");
    else if (!quote && selector.startsWith(">>", i)) {
      parts.push("");
      i += 1;
    } else {
      if (quote ? char === quote : /["']/.test(char)) quote = quote ? "" : char;
      parts[parts.length - 1] += char;
    }
  }
  const trimmed = parts.map((part) => part.trim());
  if (trimmed.some((part) => part === "")) throw new BadSelector(`${JSON.stringify(selector)} has an empty part`);
  return trimmed;
}

function one(scope: Scope, part: string): Element[] {
  const match = /^(css|text|role|xpath)=(.*)$/s.exec(part);
  const [engine, body] = match ? [match[1]!, match[2]!.trim()] : guess(part);
  switch (engine) {
    case "text":
      return byText(scope, matcherOf(body));
    case "role":
      return byRole(scope, body);
    case "xpath":
      return byXPath(scope, body);
    default:
      return byCss(scope, body);
  }
}

const guess = (part: string): [string, string] =>
  /^\.?\.?\//.test(part) ? ["xpath", part] : /^["']/.test(part) ? ["text", part] : ["css", part];

function byCss(scope: Scope, css: string): Element[] {
  try {
    return rootsOf(scope).flatMap((root) => [...root.querySelectorAll(css)]);
  } catch {
    throw new BadSelector(
      `${JSON.stringify(css)} is not a CSS selector; others start with text=, role= or xpath=, e.g. role=button[name="Go"]`,
    );
  }
}

function byXPath(scope: Scope, path: string): Element[] {
  try {
    const relative = path.startsWith("/") && scope !== document ? `.${path}` : path;
    const found = document.evaluate(relative, scope, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    return Array.from({ length: found.snapshotLength }, (_, i) => found.snapshotItem(i)).filter(
      (node) => node instanceof Element,
    );
  } catch {
    throw new BadSelector(`${JSON.stringify(path)} is not an XPath that selects elements`);
  }
}

/** `words`: part of the text, any case; `"words"`: all of it exactly; `/pattern/flags`. */
export function matcherOf(wanted: string): Matcher {
  const pattern = /^\/(.*)\/([a-z]*)$/s.exec(wanted);
  if (pattern) return matcherOfPattern(pattern[1]!, pattern[2]!);
  const quoted = /^(["'])(.*)\1$/s.exec(wanted);
  if (quoted) {
    const exact = normalize(unescaped(quoted[2]!));
    return { matches: (text) => text === exact, inside: (text) => text.includes(exact) };
  }
  const part = normalize(wanted).toLowerCase();
  if (part === "") throw new BadSelector("text= wants words to look for");
  const holds = (text: string) => text.toLowerCase().includes(part);
  return { matches: holds, inside: holds };
}

function matcherOfPattern(pattern: string, flags: string): Matcher {
  try {
    const expression = new RegExp(pattern, flags.replace(/[gy]/g, ""));
    return { matches: (text) => expression.test(text), inside: () => true };
  } catch {
    throw new BadSelector(`/${pattern}/${flags} is not a regular expression`);
  }
}

const unescaped = (text: string) => text.replace(/\\(.)/gs, "$1");

/** The smallest elements whose text matches. */
export function byText(scope: Scope, { matches, inside: mayHold }: Matcher): Element[] {
  const shadows = rootsOf(scope).length > 1;
  const found: Element[] = [];
  const visit = (element: Element, depth: number): boolean => {
    if (depth > 400 || /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE|HEAD)$/.test(element.tagName)) return false;
    const text = normalize(ownText(element, shadows, depth));
    if (text === "" || !mayHold(text)) return false;
    let inside = false;
    for (const child of Array.from(childrenOf(element)))
      if (child instanceof Element && visit(child, depth + 1)) inside = true;
    if (!inside && matches(text)) {
      found.push(element);
      return true;
    }
    return inside;
  };
  const top =
    scope instanceof Document ? [scope.documentElement] : scope instanceof Element ? [scope] : [...scope.children];
  for (const element of top) if (element) visit(element, 0);
  return found;
}

function ownText(node: Element, shadows: boolean, depth: number): string {
  if (node instanceof HTMLInputElement) return /^(button|submit|reset)$/.test(node.type) ? node.value : "";
  if (!shadows && !node.querySelector("script, style, template, input, br")) return node.textContent ?? "";
  if (depth > 400) return "";
  let text = "";
  for (const child of Array.from(childrenOf(node)))
    if (child instanceof Text) text += child.data;
    else if (child instanceof Element)
      text +=
        child.tagName === "BR"
          ? " "
          : /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/.test(child.tagName)
            ? ""
            : ownText(child, shadows, depth + 1);
  return text;
}

const ROLE =
  /^([a-z]+)((?:\s*\[[^\]"'/]*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/(?:[^/\\]|\\.)*\/[a-z]*)?[^\]"'/]*\])*)$/s;
const ATTRIBUTE =
  /\[\s*([a-z-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/(?:[^/\\]|\\.)*\/[a-z]*|[\w-]+)\s*([is])?\s*)?\]/gs;

/** `button[name="Go"]`: the whole name; `[name="go" i]`: part of it, any case; also checked, disabled, expanded, level, pressed, selected. */
function byRole(scope: Scope, body: string): Element[] {
  const parsed = ROLE.exec(body);
  if (!parsed) throw new BadSelector(`role=${body} is not understood; write role=button[name="Go"]`);
  const tests = [...parsed[2]!.matchAll(ATTRIBUTE)].map(([, name, given, flag]) => roleTest(name!, given, flag));
  const hidden = /\[\s*include-hidden/.test(parsed[2]!);
  return byCss(scope, "*").filter((element) => {
    const role = roleOf(element);
    return role === parsed[1] && tests.every((test) => test(element, role)) && (hidden || isExposed(element));
  });
}

const isExposed = (element: Element) =>
  !element.closest("[aria-hidden=true]") &&
  (element instanceof HTMLOptionElement || element.checkVisibility({ visibilityProperty: true }));

function roleTest(
  name: string,
  given: string | undefined,
  flag: string | undefined,
): (element: Element, role: string) => boolean {
  const bare = given?.replace(/^["']|["']$/g, "");
  const wanted = bare !== "false";
  const mark = (attribute: string) => (element: Element) => (element.getAttribute(attribute) === "true") === wanted;
  switch (name) {
    case "name": {
      if (given === undefined) throw new BadSelector('role=…[name] wants a value: [name="Go"]');
      const { matches } =
        flag === "i" ? matcherOf(unescaped(bare!)) : matcherOf(/^["'/]/.test(given) ? given : `"${given}"`);
      return (element, role) => matches(nameOf(element, role));
    }
    case "level":
      return (element) => levelOf(element) === Number(bare);
    case "checked":
      return (element, role) =>
        bare === "mixed" ? checkedOf(element, role) === "mixed" : (checkedOf(element, role) === true) === wanted;
    case "disabled":
      return (element) => (element.matches(":disabled") || element.getAttribute("aria-disabled") === "true") === wanted;
    case "expanded":
      return (element) => expandedOf(element) === wanted;
    case "pressed":
      return mark("aria-pressed");
    case "selected":
      return (element) =>
        (element instanceof HTMLOptionElement ? element.selected : element.getAttribute("aria-selected") === "true") ===
        wanted;
    case "include-hidden":
      return () => true;
    default:
      throw new BadSelector(
        `role=…[${name}] is unknown; there are name, level, checked, disabled, expanded, pressed, selected, include-hidden`,
      );
  }
}
