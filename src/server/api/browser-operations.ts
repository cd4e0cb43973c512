import { Elysia } from "elysia";
import * as v from "valibot";
import type { Operation } from "../browser/operation.ts";
import { BROWSER_OPERATIONS } from "../browser/operations.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, textReply, trusted, VmRef } from "./schemas.ts";

/** Every operation of the browser as a route. A caller who goes away ends the wait in the guest, too. */
export function browserOperationRoutes({ engine }: ServerContext) {
  const app = new Elysia({ name: "browser-operations", prefix: "/api/v1/vms/:name/browser" }).onBeforeHandle(
    ({ server, request }) => server?.timeout(request, 0), // `timeout_ms` bounds these calls
  );
  for (const [name, operation] of Object.entries<Operation>(BROWSER_OPERATIONS)) {
    const { request: schema, reply, contentType, summary } = operation;
    const canBeEmpty = v.safeParse(schema, {}).success;
    app.post(
      `/${name}`,
      async ({ params, body, request }) => {
        const result = await operation.run(engine.guest(params.name), body, request.signal);
        return reply
          ? result
          : new Response(result as Uint8Array<ArrayBuffer>, { headers: { "content-type": contentType } });
      },
      {
        params: VmRef,
        query: NoQuery,
        body: canBeEmpty ? v.optional(schema, {}) : schema,
        ...(reply ? { response: trusted(reply) } : {}),
        detail: { summary, tags: ["browser"], ...(reply ? {} : textReply(contentType, "The bytes")) },
      },
    );
  }
  return app;
}
