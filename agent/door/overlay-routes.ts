import type * as v from "valibot";
import { AddRule, Emulate, GetEmulation, ListRules, RemoveRules, ResetEmulation } from "../../src/contract/index.ts";
import { withDeadline } from "../browser/deadline.ts";
import type { OverlayParts } from "../overlay/parts.ts";
import type { Routes } from "./door.ts";
import { type Call, json, type Reply } from "./http.ts";

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
  const operation =
    <R extends { tab?: string | undefined; timeout_ms: number }>(
      what: string,
      schema: v.GenericSchema<unknown, R>,
      act: (request: R) => unknown,
    ) =>
    async (call: Call): Promise<Reply> => {
      const request = await call.body(schema);
      return withDeadline(what, request.timeout_ms, call.signal, async (signal) => {
        if (request.tab !== undefined) await checkTab(request.tab, signal);
        return json((await within(signal, Promise.resolve(act(request)))) ?? {});
      });
    };
  return {
    "POST /v1/browser/emulate": operation("emulate", Emulate, (request) => emulation.set(request)),
    "POST /v1/browser/get-emulation": operation("get-emulation", GetEmulation, ({ tab }) => emulation.now(tab)),
    "POST /v1/browser/reset-emulation": operation("reset-emulation", ResetEmulation, ({ tab }) => emulation.reset(tab)),
    "POST /v1/browser/add-rule": operation("add-rule", AddRule, (request) => interceptor.add(request)),
    "POST /v1/browser/list-rules": operation("list-rules", ListRules, () => ({ items: interceptor.list() })),
    "POST /v1/browser/remove-rules": operation("remove-rules", RemoveRules, ({ ids }) => interceptor.remove(ids)),
  };
}
