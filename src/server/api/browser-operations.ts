import { Elysia } from "elysia";
import * as v from "valibot";
import { ARTIFACT_HEADER, KeepQuery } from "../../contract/index.ts";
import { isKept, keepFile, untilDisposed } from "../artifacts/keep.ts";
import type { Operation } from "../browser/operation.ts";
import { BROWSER_OPERATIONS } from "../browser/operations.ts";
import { whileUsable } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { commasAsText, NoQuery, textReply, trusted, VmRef } from "./schemas.ts";

/** Every operation of the browser as a route. A caller who goes away ends the wait in the guest, too. */
export function browserOperationRoutes(context: ServerContext) {
  const { engine, closing } = context;
  const app = new Elysia({ name: "browser-operations", prefix: "/api/v1/vms/:name/browser" })
    .onTransform(commasAsText)
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0)); // `timeout_ms` bounds these calls
  for (const [name, operation] of Object.entries<Operation>(BROWSER_OPERATIONS)) {
    const { request: schema, reply, contentType, summary, kept } = operation;
    const canBeEmpty = v.safeParse(schema, {}).success;
    app.post(
      `/${name}`,
      async ({ params, query, body, request, set }) => {
        const asked: KeepQuery = query;
        const headers: Record<string, string> = {};
        const result = await whileUsable(context, params.name, request.signal, async (guest, usable) => {
          const vm = engine.get(params.name);
          const given = await operation.run(guest, body, usable);
          if (!kept || !isKept(vm, kept.kind, asked)) return given;
          using wire = untilDisposed();
          const signal = AbortSignal.any([usable, closing, wire.signal]);
          const file = await kept.file(given as never, guest, signal);
          headers[ARTIFACT_HEADER] = (await keepFile(context, vm, kept.kind, asked.keep_as, file)).id;
          return given;
        });
        Object.assign(set.headers, headers);
        return reply
          ? result
          : new Response(result as Uint8Array<ArrayBuffer>, { headers: { ...headers, "content-type": contentType } });
      },
      {
        params: VmRef,
        query: kept ? KeepQuery : NoQuery,
        body: canBeEmpty ? v.optional(schema, {}) : schema,
        ...(reply ? { response: trusted(reply) } : {}),
        detail: { summary, tags: ["browser"], ...(reply ? {} : textReply(contentType, "The bytes")) },
      },
    );
  }
  return app;
}
