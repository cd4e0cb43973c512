/** What we use of two libraries that bring no types. */
declare module "turndown" {
  type Rule = { filter: (node: Node & Element) => boolean; replacement: (content: string, node: Node) => string };
  export default class TurndownService {
    constructor(options: { headingStyle: "atx"; codeBlockStyle: "fenced"; bulletListMarker: "-" });
    use(plugin: unknown): void;
    remove(tags: string[]): void;
    addRule(name: string, rule: Rule): void;
    turndown(source: HTMLElement): string;
  }
}
declare module "turndown-plugin-gfm" {
  export const gfm: unknown;
}
