import * as fields from "./fields.ts";
import * as read from "./read.ts";
import { frame, ready } from "./ready.ts";
import { refOf, setPrefix } from "./refs.ts";
import { snapshot } from "./snapshot.ts";
import { BadSelector } from "./selector.ts";
import { Refused, type Refusal, resolve, type Target } from "./target.ts";

/**
 * Our eyes and hands in a document: bundled into one string, run in an isolated world, where the page's own scripts neither see
 * it nor can change what it uses.
 */
const methods = {
  setPrefix,
  refFor: (target: Target) => refOf(resolve(target)),
  ready,
  drawn: async () => {
    await frame();
    await frame();
  },
  snapshot: (root: Target | null, maxChars: number) => snapshot(root && resolve(root), maxChars),
  prepareFill: fields.prepareFill,
  selectOptions: fields.selectOptions,
  checkState: fields.checkState,
  focus: fields.focus,
  find: read.find,
  links: read.links,
  waitFor: read.waitFor,
  boxOf: read.boxOf,
  frameBox: read.frameBox,
  reachesFrame: read.reachesFrame,
  textOf: read.textOf,
  htmlOf: read.htmlOf,
  scrollBy: read.scrollBy,
  intoView: read.intoView,
};
export type Methods = typeof methods;

export type Answer = { value: unknown } | { refused: Refusal };

/** Called by the agent with a method's name and its arguments. */
async function run(name: keyof Methods, args: unknown[]): Promise<Answer> {
  try {
    return { value: await (methods[name] as (...given: unknown[]) => unknown)(...args) };
  } catch (thrown) {
    if (thrown instanceof Refused) return { refused: thrown.refusal };
    if (thrown instanceof BadSelector)
      return { refused: { code: "invalid_request", message: thrown.message, final: true } };
    throw thrown;
  }
}

/** Of methods that give the agent a hold on an element; a refusal comes as text. */
function handle(name: "element" | "fileInput", args: [Target, number]): Element | string {
  try {
    return name === "fileInput" ? fields.fileInput(...args) : resolve(args[0]);
  } catch (thrown) {
    if (thrown instanceof Refused) return JSON.stringify(thrown.refusal);
    throw thrown;
  }
}

(globalThis as unknown as { hype: unknown }).hype = { run, handle };
