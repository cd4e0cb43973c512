import type * as v from "valibot";
import { AddRule, Emulate, GetEmulation, ListRules, RemoveRules, ResetEmulation } from "../../src/contract/index.ts";
import type { OverlayParts } from "../overlay/parts.ts";
import type { Routes } from "./door.ts";
import type { Handler } from "./http.ts";
import { operation, type Timed } from "./operation.ts";

/** Waits for an answer no longer than the signal; what was begun goes on. */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** `/v1/browser/*` for what lies over the tabs: one line an operation, the work stands in agent/emulation/ and agent/intercept/. */
export function overlayRoutes({ emulation, interceptor, checkTab }: OverlayParts): Routes {
  const overTabs = <R extends Timed & { tab?: string | undefined }>(
    what: string,
    schema: v.GenericSchema<unknown, R>,
    act: (request: R) => unknown,
  ): Handler =>
    operation(what, schema, async (request, signal) => {
      if (request.tab !== undefined) await checkTab(request.tab, signal);
      return await within(signal, Promise.resolve(act(request)));
    });
  return {
    "POST /v1/browser/emulate": overTabs("emulate", Emulate, (request) => emulation.set(request)),
    "POST /v1/browser/get-emulation": overTabs("get-emulation", GetEmulation, ({ tab }) => emulation.now(tab)),
    "POST /v1/browser/reset-emulation": overTabs("reset-emulation", ResetEmulation, ({ tab }) => emulation.reset(tab)),
    "POST /v1/browser/add-rule": overTabs("add-rule", AddRule, (request) => interceptor.add(request)),
    "POST /v1/browser/list-rules": overTabs("list-rules", ListRules, () => ({ items: interceptor.list() })),
    "POST /v1/browser/remove-rules": overTabs("remove-rules", RemoveRules, ({ ids }) => interceptor.remove(ids)),
  };
}
