import * as v from "valibot";

/** `read`: look. `operate`: create, start, stop, delete VMs and drive their browsers. `admin`: keys and audit as well. Each holds the ones before. */
export const Scope = v.picklist(["read", "operate", "admin"]);
export type Scope = v.InferOutput<typeof Scope>;

const KeyName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/, "must be 1-63 lower-case letters, digits, . _ -"),
);

/** Which VMs a key reaches; an empty list of names and no labels: all. Both given: a VM must match one name pattern and all labels. */
export const KeyRestriction = v.strictObject({
  vms: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string(),
          v.regex(/^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$/, "must be a VM name; * stands for any letters"),
        ),
      ),
      v.maxLength(100),
    ),
    [],
  ),
  labels: v.optional(v.record(v.string(), v.string()), {}),
});
export type KeyRestriction = v.InferOutput<typeof KeyRestriction>;

/** Body of `POST /api/v1/keys`. */
export const CreateKey = v.strictObject({
  name: KeyName,
  scope: v.optional(Scope, "operate"),
  restriction: v.optional(v.nullable(KeyRestriction), null),
  expires_at: v.optional(v.nullable(v.pipe(v.string(), v.isoTimestamp("must be an ISO 8601 time"))), null),
  rate_per_minute: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))), null),
});
export type CreateKey = v.InferOutput<typeof CreateKey>;
export type CreateKeyInput = v.InferInput<typeof CreateKey>;

/** A key as it is shown. The key itself is told once, when it is made. */
export const Key = v.object({
  id: v.string(),
  name: v.string(),
  prefix: v.pipe(v.string(), v.description("First characters of the key, to tell keys apart")),
  scope: Scope,
  restriction: v.nullable(KeyRestriction),
  rate_per_minute: v.pipe(v.nullable(v.number()), v.description("Calls per minute; null: not limited")),
  expires_at: v.nullable(v.string()),
  created_at: v.string(),
  last_used_at: v.pipe(v.nullable(v.string()), v.description("To the minute")),
  revoked_at: v.nullable(v.string()),
});
export type Key = v.InferOutput<typeof Key>;

export const CreatedKey = v.object({ ...Key.entries, key: v.pipe(v.string(), v.description("Shown this once")) });
export type CreatedKey = v.InferOutput<typeof CreatedKey>;
export const KeyList = v.object({ items: v.array(Key) });
export type KeyList = v.InferOutput<typeof KeyList>;

/** One changing call, whatever became of it. */
export const AuditEntry = v.object({
  seq: v.pipe(v.number(), v.integer()),
  at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  key_id: v.pipe(
    v.string(),
    v.description("admin, environment, none, or a key's id; a CDP token counts as the key that minted it"),
  ),
  key_name: v.nullable(v.string()),
  address: v.pipe(v.nullable(v.string()), v.description("Where the call came from")),
  method: v.string(),
  path: v.pipe(v.string(), v.description("Without the query")),
  vm: v.pipe(v.nullable(v.string()), v.description("The VM the path names")),
  status: v.pipe(v.number(), v.integer()),
  error: v.pipe(v.nullable(v.string()), v.description("Error code; null when it succeeded")),
  duration_ms: v.number(),
  calls: v.pipe(
    v.number(),
    v.integer(),
    v.description("1; refused calls of one caller within a minute are told together"),
  ),
});
export type AuditEntry = v.InferOutput<typeof AuditEntry>;

export const AuditList = v.object({
  items: v.array(AuditEntry),
  next: v.pipe(v.nullable(v.number()), v.description("`after` of the next page")),
});
export type AuditList = v.InferOutput<typeof AuditList>;
