import * as v from "valibot";

/** A VM's name or id in a path. */
export const VmRef = v.strictObject({
  name: v.pipe(
    v.string(),
    v.maxLength(63, "must be at most 63 characters"),
    v.regex(/^[a-z0-9][a-z0-9-]*$/, "must be a VM's name or id"),
    v.description("Name or id of the VM"),
  ),
});

export const flag = v.optional(v.picklist(["true", "false"], "must be true or false"));
export const WaitQuery = v.strictObject({
  wait: v.pipe(flag, v.description("false: return at once with 202 instead of when it is done")),
});
export const NoQuery = v.strictObject({});
export const DownloadRef = v.strictObject({
  ...VmRef.entries,
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "must be a download's id")),
});
/** What tells one page of the live view from another by the same link. */
export const LivePageId = v.optional(
  v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "must be letters, digits and hyphens")),
  "page",
);

/** Elysia makes a list of a text with commas: as a transform it is a text again. What is given twice is joined by one. */
export function commasAsText({ query }: { query: Record<string, unknown> }): void {
  for (const [name, value] of Object.entries(query)) if (Array.isArray(value)) query[name] = value.join(",");
}

export const queryNumber = (min: number, max: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,15}$/, "must be a whole number"),
      v.check((text) => Number(text) >= min && Number(text) <= max, `must be between ${min} and ${max}`),
    ),
  );

/**
 * The schema as documentation and type only: replies with many rows are not walked again at run time (they come from our own store).
 * The tests hold every reply against the OpenAPI document instead.
 */
export function trusted<Schema extends v.GenericSchema>(schema: Schema): Schema {
  return { ...schema, "~standard": { ...schema["~standard"], validate: (value: unknown) => ({ value }) } };
}

/** A reply that is not JSON, for the OpenAPI document. */
export const textReply = (contentType: string, description: string) => ({
  responses: { 200: { description, content: { [contentType]: { schema: { type: "string" as const } } } } },
});
