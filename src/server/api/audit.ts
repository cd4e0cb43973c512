import { Elysia } from "elysia";
import * as v from "valibot";
import { AuditList } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { queryNumber, trusted } from "./schemas.ts";

const Page = v.strictObject({
  after: v.pipe(
    queryNumber(0, Number.MAX_SAFE_INTEGER),
    v.description("Entries with a greater `seq`; 0 begins with the oldest kept; not given: the newest"),
  ),
  limit: queryNumber(1, 1000),
  key: v.optional(v.pipe(v.string(), v.maxLength(63), v.description("Name or id of a key"))),
  vm: v.optional(v.pipe(v.string(), v.maxLength(63), v.description("VM as the path named it"))),
});

/** Who changed what. */
export function auditRoutes({ audit }: ServerContext) {
  return new Elysia({ name: "audit", prefix: "/api/v1/audit" }).get(
    "",
    ({ query: { after, limit, key, vm } }) =>
      audit.list({
        ...(after === undefined ? {} : { after: Number(after) }),
        ...(limit === undefined ? {} : { limit: Number(limit) }),
        ...(key === undefined ? {} : { key }),
        ...(vm === undefined ? {} : { vm }),
      }),
    {
      query: Page,
      response: trusted(AuditList),
      detail: { summary: "Changing and refused calls, oldest first", tags: ["access"] },
    },
  );
}
