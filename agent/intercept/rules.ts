import type { Protocol } from "devtools-protocol";
import { type AddRule, HypeError, type Rule } from "../../src/contract/index.ts";
import { Glob } from "../browser/glob.ts";
import { mustBeForSockets, type SocketRule } from "./web-sockets.ts";

/** A name of our own: an EventSource, too, is an XHR to the Fetch domain. */
const EVENT_SOURCE = "EventSource";
const MAX_RULES = 1_000;
/** Bodies of mocks are kept in the guest's memory, characters. */
const MAX_BODIES = 64 * 1024 * 1024;
/** What the Fetch domain calls our types where it is not our name with a capital; a fetch() is an XHR to it. */
const TYPES: Record<string, string[]> = {
  fetch: ["XHR", "Fetch"],
  xhr: ["XHR", "Fetch"],
  eventsource: [EVENT_SOURCE],
  other: ["Other", "CSPViolationReport"],
};

type Kept = { id: string; request: AddRule; pattern: Glob; types: Set<string> | null; hits: number };
export type Verdict = {
  decision: AddRule["action"] & { type: "block" | "allow" | "mock" };
  headers: { set: Record<string, string>; remove: Set<string> } | null;
};

/** The rules in their order. */
export class Rules {
  #rules: Kept[] = [];
  #lastId = 0;

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** @throws HypeError `limit_reached` */
  add(request: AddRule): Rule {
    const bodies = [...this.#rules.map((rule) => rule.request), request].reduce((sum, rule) => sum + sizeOf(rule), 0);
    if (this.#rules.length >= MAX_RULES || bodies > MAX_BODIES)
      throw new HypeError(
        "limit_reached",
        `there is room for ${MAX_RULES} rules and ${MAX_BODIES} bytes of bodies; remove some`,
      );
    mustBeForSockets(request);
    const rule: Kept = {
      id: `r${++this.#lastId}`,
      request,
      pattern: Glob.ofRequests(request.url),
      types: request.resource_types ? new Set(request.resource_types.flatMap(protocolTypes)) : null,
      hits: 0,
    };
    if (request.first) this.#rules.unshift(rule);
    else this.#rules.push(rule);
    return told(rule);
  }

  list(): Rule[] {
    return this.#rules.map(told);
  }

  /** @throws HypeError `rule_not_found` naming the unknown ones; then none is removed */
  remove(ids: string[] | undefined): void {
    const unknown = ids?.filter((id) => !this.#rules.some((rule) => rule.id === id)) ?? [];
    if (unknown.length > 0) throw new HypeError("rule_not_found", `there is no rule ${unknown.join(", ")}`);
    this.#rules = ids ? this.#rules.filter(({ id }) => !ids.includes(id)) : [];
  }

  /** Rules of a tab end with it. */
  forget(isGone: (tab: string) => boolean): void {
    this.#rules = this.#rules.filter(({ request }) => request.tab === undefined || !isGone(request.tab));
  }

  /** What Chromium shall stop for us; everything else passes at full speed. */
  patterns(tab: string | null): Protocol.Fetch.RequestPattern[] {
    return this.#of(tab)
      .filter((rule) => !isForSockets(rule))
      .flatMap(({ request, types }) =>
        [...(types ?? [undefined])].map((type) => ({
          urlPattern: request.url,
          ...(type && { resourceType: (type === EVENT_SOURCE ? "XHR" : type) as Protocol.Network.ResourceType }),
        })),
      );
  }

  /** Those for WebSockets. */
  sockets(tab: string | null): SocketRule[] {
    return this.#of(tab)
      .filter(isForSockets)
      .map(({ request, pattern }) => ({
        url: request.url,
        literals: pattern.literals,
        block: request.action.type === "block",
      }));
  }

  #of(tab: string | null): Kept[] {
    return this.#rules.filter(({ request }) => request.tab === undefined || request.tab === tab);
  }

  judge(tab: string | null, paused: Protocol.Fetch.RequestPausedEvent): Verdict {
    const { request } = paused;
    const type = typeOf(paused);
    let headers: Verdict["headers"] = null;
    for (const rule of this.#rules) {
      const { tab: only, methods, action } = rule.request;
      if ((only !== undefined && only !== tab) || isForSockets(rule)) continue;
      // A preflight asks on behalf of the method it names.
      if (methods && !methods.includes(preflightFor(request) ?? request.method)) continue;
      if (rule.types && !rule.types.has(type)) continue;
      if (!rule.pattern.matches(request.url)) continue;
      rule.hits += 1;
      if (action.type !== "headers") return { decision: action, headers };
      headers ??= { set: {}, remove: new Set() };
      Object.assign(headers.set, action.set);
      for (const name of action.remove) headers.remove.add(name.toLowerCase());
    }
    return { decision: { type: "allow" }, headers };
  }
}

/** The method a CORS preflight asks for; null for other requests. */
export function preflightFor({ method, headers }: Protocol.Network.Request): string | null {
  if (method !== "OPTIONS") return null;
  return header(headers, "access-control-request-method");
}

const header = (headers: Protocol.Network.Headers, wanted: string): string | null =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null;
/** A stream of events says so itself, by whatever it is asked for. */
const typeOf = ({ request, resourceType }: Protocol.Fetch.RequestPausedEvent): string =>
  resourceType === "XHR" && header(request.headers, "accept") === "text/event-stream" ? EVENT_SOURCE : resourceType;

const protocolTypes = (type: string): string[] => TYPES[type] ?? [type[0]!.toUpperCase() + type.slice(1)];
const isForSockets = ({ types }: Kept): boolean => types?.has("Websocket") === true;
const sizeOf = ({ action }: AddRule): number =>
  action.type === "mock" ? (action.body?.length ?? 0) + (action.body_base64?.length ?? 0) : 0;
const told = ({ id, request, hits }: Kept): Rule => ({
  id,
  url: request.url,
  resource_types: request.resource_types ?? null,
  methods: request.methods ?? null,
  action: request.action.type,
  tab: request.tab ?? null,
  hits,
});
