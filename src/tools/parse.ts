import * as v from "valibot";
import { HypeError, type Issue } from "../contract/index.ts";

const ISSUES = 20;

/** What a schema makes of a value. @throws HypeError invalid_request naming each field, never repeating what was given */
export function parsed<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const found = v.safeParse(schema, value);
  if (found.success) return found.output;
  const issues = found.issues.slice(0, ISSUES).map(issueOf);
  throw new HypeError(
    "invalid_request",
    issues.map(({ path, message }) => `${path || "the arguments"}: ${message}`).join("; "),
    { issues },
  );
}

function issueOf(issue: v.BaseIssue<unknown>): Issue {
  const path = (v.getDotPath(issue) ?? "").slice(0, 100);
  if (issue.type === "strict_object" && issue.expected === "never")
    return { path, message: "is not an argument of this tool" };
  if (issue.kind === "schema" && issue.received === "undefined") return { path, message: "is required" };
  const isDefaultText = issue.message.startsWith("Invalid ");
  const message = isDefaultText ? (issue.expected ? `must be ${issue.expected}` : "is not valid") : issue.message;
  return { path, message: message.slice(0, 200) };
}
