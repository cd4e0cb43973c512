import * as v from "valibot";

/** Fields every operation of the browser takes. Twice what Playwright waits: an emulated guest on a busy host is slow, not broken. */
export const timeoutMs = v.optional(
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(300_000), v.description("Milliseconds; default 60000")),
  60_000,
);
const tabId = v.pipe(v.string(), v.maxLength(64), v.regex(/^[A-Za-z0-9-]+$/));
/** Of the state operations: whose browser context (cookie jar) is meant. */
export const contextOfTab = v.optional(
  v.pipe(tabId, v.description("A tab whose context is meant; default: the browser's own context")),
);
/** Of emulation, observation and interception: one tab, or all. */
export const tabOrAll = v.optional(v.pipe(tabId, v.description("CDP target id; default: all tabs, new ones included")));
