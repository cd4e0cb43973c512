import * as v from "valibot";
import { ERRORS, HypeError, type Issue, type Problem } from "../contract/index.ts";
import type { Log } from "../log/log.ts";

const ISSUES = 20;
const clip = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);

/** A fault found by a schema, in words that never repeat the input (which may be large, or secret). */
function issueOf(issue: v.BaseIssue<unknown>): Issue {
  const path = clip(v.getDotPath(issue) ?? "", 100);
  if (issue.type === "strict_object" && issue.expected === "never") return { path, message: "is not a known field" };
  if (issue.kind === "schema" && issue.received === "undefined") return { path, message: "is required" };
  const isDefaultText = issue.message.startsWith("Invalid ");
  const message = isDefaultText ? (issue.expected ? `must be ${issue.expected}` : "is not valid") : issue.message;
  return { path, message: clip(message, 200) };
}

/** `invalid_request` from valibot's issues; `where` is body, query or params. */
export function invalidRequest(where: string, found: readonly v.BaseIssue<unknown>[]): HypeError {
  const issues = found.slice(0, ISSUES).map(issueOf);
  const summary = issues.map(({ path, message }) => `${path || `the ${where}`} ${message}`).join("; ");
  return new HypeError("invalid_request", summary || `the ${where} is not valid`, { issues });
}

/** What Elysia hands to `onError` for a failed schema, as far as it is used here. */
type ValidationFault = { type: string; value: unknown; validator: v.GenericSchema | { schema: v.GenericSchema } };

/** Elysia keeps the first issue only, and loses its path: look again. */
function issuesOf({ validator, value }: ValidationFault): readonly v.BaseIssue<unknown>[] {
  const schema = "schema" in validator ? validator.schema : validator;
  const found = v.safeParse(schema, value).issues ?? [];
  // valibot stops at the first unknown field; all of them are named here.
  const stranger = found.find((issue) => issue.type === "strict_object" && issue.expected === "never");
  const [at] = stranger?.path ?? [];
  if (!stranger || stranger.path?.length !== 1 || at?.type !== "object" || !("entries" in schema)) return found;
  const known = schema.entries as object;
  const strangers = Object.keys(at.input).filter((key) => !(key in known) && key !== at.key);
  return [...found, ...strangers.map((key) => ({ ...stranger, path: [{ ...at, key }] as typeof stranger.path }))];
}

/** Everything that can be thrown in a route, as one of our errors. A reply that does not fit its schema is our bug, not the caller's. */
export function asHypeError(code: string | number, thrown: unknown): HypeError {
  if (thrown instanceof HypeError) return thrown;
  switch (code) {
    case "NOT_FOUND":
      return new HypeError("not_found", "there is no such route");
    case "PARSE":
      if ((thrown as { cause?: unknown }).cause instanceof HypeError) return (thrown as { cause: HypeError }).cause;
      return new HypeError("invalid_request", "the body is not valid JSON", {
        issues: [{ path: "", message: "is not valid JSON" }],
      });
    case "VALIDATION": {
      const fault = thrown as ValidationFault;
      if (fault.type !== "response") return invalidRequest(fault.type, issuesOf(fault));
    }
  }
  return new HypeError("internal", "something went wrong inside hype", {}, { cause: thrown });
}

/** The error as a problem document (RFC 9457). An internal error shows a short `ref` only; its cause goes to the log under that ref. */
export function problemResponse(error: HypeError, instance: string, log: Log): Response {
  const row = ERRORS[error.code];
  const { issues, ...details } = error.details;
  const problem: Problem = {
    type: `docs/errors.md#${error.code}`,
    title: row.title,
    status: row.status,
    detail: error.message,
    code: error.code,
    remedy: row.remedy,
    instance: clip(instance, 200),
  };
  if (error.code === "internal") {
    problem.ref = crypto.randomUUID().slice(0, 8);
    problem.detail = `something went wrong inside hype (ref ${problem.ref})`;
    log.error(error.message, { ref: problem.ref, path: problem.instance, cause: error.cause ?? error });
  } else {
    if (Array.isArray(issues)) problem.issues = issues as Issue[];
    if (Object.keys(details).length > 0) problem.details = details;
  }
  return new Response(JSON.stringify(problem), {
    status: row.status,
    headers: { "content-type": "application/problem+json", ...extraHeaders(error) },
  });
}

/** Headers that HTTP wants beside some statuses (RFC 9110 sections 11.6.1, 15.5.6; RFC 6585 section 4). */
function extraHeaders({ code, details }: HypeError): Record<string, string> {
  if (code === "unauthorized") return { "www-authenticate": 'Bearer realm="overhyped"' };
  if (code === "method_not_allowed") return { allow: String(details.allow) };
  if (code === "rate_limited") return { "retry-after": String(details.retry_after_seconds) };
  return {};
}
