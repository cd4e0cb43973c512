import * as v from "valibot";
import { HypeError } from "./errors.ts";
import { Cookie } from "./state.ts";

/** RFC 6265bis section 5.6: name and value together, and each attribute. */
const MAX_PAIR_BYTES = 4096;
const MAX_ATTRIBUTE_BYTES = 1024;
/** As many bad ones stand in an error by name. */
const MAX_NAMED = 100;

/** @throws HypeError `state_invalid` naming each bad cookie with its place, name and fault. */
export function checkCookies(given: unknown[]): { good: Cookie[]; expired: number } {
  const now = Date.now() / 1000;
  const bad: string[] = [];
  const good: Cookie[] = [];
  let expired = 0;
  for (const [index, value] of given.entries()) {
    const parsed = v.safeParse(Cookie, value);
    const faults = parsed.success ? faultsOf(parsed.output) : parsed.issues.map(faultOf);
    if (faults.length > 0) bad.push(`cookies.${index} (${nameOf(value)}): ${faults.join(", ")}`);
    else if (parsed.success && parsed.output.expires >= 0 && parsed.output.expires < now) expired += 1;
    else if (parsed.success) good.push(parsed.output);
  }
  if (bad.length > 0) throw new HypeError("state_invalid", `nothing was taken; mend these cookies: ${firstOf(bad)}`);
  return { good, expired };
}

/** A fault found by the schema, in words that never repeat the value: it may be somebody's session. */
const faultOf = (issue: v.BaseIssue<unknown>): string =>
  issue.expected === "never"
    ? `${v.getDotPath(issue)} is not a known field`
    : `${v.getDotPath(issue) ?? "cookie"} must be ${issue.expected ?? issue.message}`;

/** What Chromium would refuse or silently change, in words. */
function faultsOf(cookie: Cookie): string[] {
  const { name, value, domain, path, secure, sameSite, expires } = cookie;
  const host = domain.replace(/^\./, "");
  const rules: [boolean, string][] = [
    [byteLength(name + value) > MAX_PAIR_BYTES, `name and value are over ${MAX_PAIR_BYTES} bytes`],
    [byteLength(path) > MAX_ATTRIBUTE_BYTES, `path is over ${MAX_ATTRIBUTE_BYTES} bytes`],
    [byteLength(domain) > MAX_ATTRIBUTE_BYTES, `domain is over ${MAX_ATTRIBUTE_BYTES} bytes`],
    // eslint-disable-next-line no-control-regex
    [/[\0-\x08\x0a-\x1f\x7f;]/.test(value), "value has a control character or a semicolon (encode it)"],
    // eslint-disable-next-line no-control-regex
    [/[\0-\x1f\x7f;=]/.test(name), "name has a control character, a semicolon or an equals sign"],
    [name !== name.trim() || value !== value.trim(), "name or value begins or ends with white space"],
    [name === "" && value === "", "name and value are both empty"],
    [!/^[^\s/:;,?#@]+$/.test(host) && !/^\[[0-9a-f:]+\]$/i.test(host), "domain is not a host name"],
    [!path.startsWith("/"), "path does not begin with /"],
    [sameSite === "None" && !secure, "sameSite None needs secure"],
    [cookie.partitionKey !== undefined && !secure, "a partitioned cookie needs secure"],
    [/^__Secure-/i.test(name) && !secure, "the prefix __Secure- needs secure"],
    [
      /^__Host-/i.test(name) && (!secure || path !== "/" || domain.startsWith(".")),
      "the prefix __Host- needs secure, path / and a host without a leading dot",
    ],
    [expires < 0 && expires !== -1, "expires is before 1970 (a session cookie has -1)"],
  ];
  return rules.filter(([broken]) => broken).map(([, fault]) => fault);
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;
const nameOf = (value: unknown): string =>
  JSON.stringify(String((value as { name?: unknown } | null)?.name ?? "without a name").slice(0, 80));
/** Lines of an error, as many as a reader can bear. */
export const firstOf = (lines: string[]): string =>
  lines.slice(0, MAX_NAMED).join("; ") + (lines.length > MAX_NAMED ? `; and ${lines.length - MAX_NAMED} more` : "");
