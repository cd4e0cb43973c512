import * as v from "valibot";

/** One field's fault. `path` is a dot path into the body, query or parameters. */
export const Issue = v.object({ path: v.string(), message: v.string() });
export type Issue = v.InferOutput<typeof Issue>;

/** RFC 9457 problem document: the body of every error reply, `application/problem+json`. */
export const Problem = v.object({
  type: v.pipe(v.string(), v.description("URI reference of the error's row in docs/errors.md")),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: v.string(),
  code: v.pipe(v.string(), v.description("Stable error code")),
  remedy: v.string(),
  instance: v.optional(v.string()),
  ref: v.optional(v.pipe(v.string(), v.description("Stands in the server's log beside the cause (internal errors)"))),
  issues: v.optional(v.array(Issue)),
  details: v.optional(v.record(v.string(), v.unknown())),
});
export type Problem = v.InferOutput<typeof Problem>;
