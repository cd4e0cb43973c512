import { describe, elementOf, refOf } from "./refs.ts";
import { BadSelector, query } from "./selector.ts";

export type Target = { ref?: string; selector?: string };
/** Why something cannot be done with an element. `final`: waiting will not help. */
export type Refusal = { code: string; message: string; final: boolean };

export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}
export const refuse = (code: string, message: string, final = false): never => {
  throw new Refused({ code, message, final });
};

/** @throws Refused `stale_ref` | `element_not_found` | `element_ambiguous` | `invalid_request` */
export function resolve({ ref, selector }: Target): Element {
  if (ref !== undefined) {
    const element = elementOf(ref);
    if (element) return element;
    return refuse(
      "stale_ref",
      element === null
        ? `the element of ref ${ref} is no longer in the page: take a new snapshot and use a ref from it`
        : `there is no ref ${ref} in the page as it is now: take a new snapshot and use a ref from it`,
      true,
    );
  }
  const found = select(selector!);
  if (found.length === 1) return found[0]!;
  if (found.length === 0) return refuse("element_not_found", `nothing in the page matches ${selector}`);
  const some = found.slice(0, 5).map((element) => `${describe(element)} [ref=${refOf(element)}]`);
  return refuse(
    "element_ambiguous",
    `${found.length} elements match ${selector}: ${some.join(", ")}${found.length > 5 ? ", …" : ""}; ` +
      "use one of these refs, a narrower selector, or add `>> nth=0`",
    true,
  );
}

export function select(selector: string): Element[] {
  try {
    return query(selector);
  } catch (thrown) {
    if (thrown instanceof BadSelector) return refuse("invalid_request", thrown.message, true);
    throw thrown;
  }
}
