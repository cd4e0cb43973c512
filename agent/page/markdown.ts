import { Readability } from "@mozilla/readability";
import TurndownService from "turndown";
import { gfm } from "turndown-plugin-gfm";

/** Markdown of the page, made where the page is: both libraries want a real DOM. Loaded only when it is asked for. */
export type Markdown = { title: string; byline: string | null; markdown: string; readable: boolean };

/** An article shorter than this was not the page's matter, characters. */
const MIN_ARTICLE = 140;

function markdown(readable: boolean, target: Element | null): Markdown {
  const article = readable && !target ? new Readability(document.cloneNode(true) as Document).parse() : null;
  const use = article?.content && (article.textContent ?? "").trim().length >= MIN_ARTICLE ? article : null;
  const service = new TurndownService({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-" });
  service.use(gfm);
  service.remove(["script", "style", "noscript", "template", "iframe", "canvas"]);
  // Addresses are those of the page's base, whatever the fragment of it says.
  service.addRule("address", {
    filter: (node) => node.nodeName === "A" && node.hasAttribute("href"),
    replacement: (content, node) =>
      content.trim()
        ? `[${content.trim().replace(/\s+/g, " ")}](${absolute((node as Element).getAttribute("href")!)})`
        : "",
  });
  const text = service.turndown(
    inert(use ? use.content! : (target ?? document.body ?? document.documentElement).outerHTML),
  );
  return { title: use?.title ?? document.title, byline: use?.byline ?? null, markdown: text, readable: use !== null };
}

function absolute(href: string): string {
  try {
    return new URL(href, document.baseURI).href.replace(/[()]/g, encodeURIComponent).slice(0, 8_192);
  } catch {
    return href;
  }
}

/** Parsed without running or loading anything. */
const inert = (html: string): HTMLElement => new DOMParser().parseFromString(html, "text/html").body;

(globalThis as unknown as { hypeMarkdown: unknown }).hypeMarkdown = markdown;
