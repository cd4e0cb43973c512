import type { SQLQueryBindings } from "bun:sqlite";
import * as v from "valibot";
import { HypeError, LIMITS, type ListVmsQuery, VM_SORT_FIELDS, VmStatus } from "../contract/index.ts";

/** Rows of a page when the caller names no limit: also the most it may ask for, so nothing is left out unasked. */
const DEFAULT_LIMIT = 1000;

const split = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);

/**
 * The SQL of `GET /api/v1/vms`. Values are bound, never spliced; the sort column comes from a fixed list.
 * @throws HypeError invalid_request on an unknown status or too many labels.
 */
export function listClauses(query: ListVmsQuery): {
  where: string;
  order: string;
  values: SQLQueryBindings[];
  limit: number;
  offset: number;
} {
  const conditions: string[] = [];
  const values: SQLQueryBindings[] = [];
  const statuses = split(query.status ?? "");
  if (statuses.length > 0) {
    const unknown = statuses.filter((status) => !v.is(VmStatus, status));
    if (unknown.length > 0)
      throw new HypeError("invalid_request", `no such status: ${unknown.join(", ")}`, {
        issues: [{ path: "status", message: `must be of ${VmStatus.options.join(", ")}` }],
      });
    conditions.push("status in (select value from json_each(?))");
    values.push(JSON.stringify(statuses));
  }
  const labels = split(query.label ?? "");
  if (labels.length > LIMITS.labels.count)
    throw new HypeError("invalid_request", `at most ${LIMITS.labels.count} labels can be asked for`, {
      issues: [{ path: "label", message: `must name at most ${LIMITS.labels.count} labels` }],
    });
  for (const label of labels) {
    const at = label.indexOf("=");
    const [key, value] = at < 0 ? [label, null] : [label.slice(0, at), label.slice(at + 1)];
    conditions.push("exists (select 1 from json_each(labels) where key = ? and (? is null or value = ?))");
    values.push(key, value, value);
  }
  if (query.q !== undefined) {
    conditions.push("instr(name, lower(?)) > 0");
    values.push(query.q);
  }
  return {
    where: conditions.length > 0 ? ` where ${conditions.join(" and ")}` : "",
    order: orderBy(query.sort ?? "created_at"),
    values,
    limit: query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit),
    offset: query.offset === undefined ? 0 : Number(query.offset),
  };
}

/** The id settles ties, so that pages neither repeat nor skip a row. */
function orderBy(sort: string): string {
  const field = VM_SORT_FIELDS.find((known) => known === sort.replace(/^-/, "")) ?? "created_at";
  const direction = sort.startsWith("-") ? "desc" : "asc";
  return ` order by ${field} ${direction}, id ${direction}`;
}
