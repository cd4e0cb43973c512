import { Elysia } from "elysia";
import * as v from "valibot";
import { CreatedKey, CreateKey, Key, KeyList } from "../../contract/index.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery } from "./schemas.ts";

const KeyRef = v.strictObject({
  key: v.pipe(
    v.string(),
    v.maxLength(63, "must be at most 63 characters"),
    v.regex(/^[a-z0-9][a-z0-9._-]*$/, "must be a key's name or id"),
    v.description("Name or id of the key"),
  ),
});
const about = (summary: string) => ({ summary, tags: ["access"] });

/** API keys. The admin key and OVERHYPED_API_KEY are not among them: they are changed on the machine itself. */
export function keyRoutes({ keys }: ServerContext) {
  return new Elysia({ name: "keys", prefix: "/api/v1/keys" })
    .get("", () => ({ items: keys.list() }), {
      query: NoQuery,
      response: KeyList,
      detail: about("List keys, revoked and expired ones too"),
    })
    .post(
      "",
      ({ body, set, status }) => {
        const created = keys.create(body);
        set.headers["cache-control"] = "no-store";
        return status(201, created);
      },
      {
        body: CreateKey,
        query: NoQuery,
        response: { 201: CreatedKey },
        detail: about("Make a key; the reply is the only time it is told"),
      },
    )
    .delete("/:key", ({ params }) => keys.revoke(params.key), {
      params: KeyRef,
      query: NoQuery,
      response: Key,
      detail: about("Revoke a key: it and what it holds open end at once; its name stays taken"),
    });
}
