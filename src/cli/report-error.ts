import { ERRORS, HypeError, messageOf } from "../contract/errors.ts";
import type { Issue, Problem } from "../contract/problem.ts";
import type { CliContext } from "./context.ts";
import { safeJson, sanitizeLine, sanitizeText } from "../text/sanitize.ts";

/** Tells an error on standard error, in words or as a problem document. @returns the exit code it stands for */
export function reportError(thrown: unknown, json: boolean, context: CliContext): number {
  const { stderr, paint } = context;
  const error = asHypeError(thrown);
  if (json) {
    stderr.write(`${safeJson(problemOf(error))}\n`);
    return error.exitCode;
  }
  const red = paint.stderr.red;
  const lines = [`${red(`error[${error.code}]`)}: ${sanitizeText(error.message)}`];
  // The server's message sums its issues up already; ours may not.
  for (const issue of issuesOf(error).filter(({ message }) => !error.message.includes(message)))
    lines.push(`  ${sanitizeLine(`${issue.path}: ${issue.message}`)}`);
  if (typeof error.details.ref === "string") lines.push(`  ref: ${sanitizeLine(error.details.ref)}`);
  if (error.code !== "cancelled") lines.push(`  ${paint.stderr.dim(`remedy: ${remedyOf(error)}`)}`);
  stderr.write(`${lines.join("\n")}\n`);
  return error.exitCode;
}

/** Anything that is not ours is a bug: its stack is what a report needs. */
function asHypeError(thrown: unknown): HypeError {
  if (thrown instanceof HypeError) return thrown;
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return new HypeError("internal", stack ?? messageOf(thrown), {
    remedy: "This is a bug in the command itself: please report it with the lines above.",
  });
}

const remedyOf = (error: HypeError): string =>
  typeof error.details.remedy === "string" ? error.details.remedy : ERRORS[error.code].remedy;

const issuesOf = (error: HypeError): Issue[] =>
  Array.isArray(error.details.issues) ? (error.details.issues as Issue[]) : [];

/** RFC 9457, as the server sends it. */
export function problemOf(error: HypeError): Problem {
  const { issues, ref, remedy: _remedy, ...details } = error.details;
  return {
    type: `docs/errors.md#${error.code}`,
    title: ERRORS[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    remedy: remedyOf(error),
    ...(typeof ref === "string" ? { ref } : {}),
    ...(Array.isArray(issues) ? { issues: issues as Issue[] } : {}),
    ...(Object.keys(details).length > 0 ? { details } : {}),
  };
}
