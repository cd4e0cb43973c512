import type { Scope } from "../../contract/index.ts";
import { BROWSER_OPERATIONS } from "../browser/operations.ts";

/**
 * What a key must hold for each route; null: no key at all. A route that does not stand here is closed to every key but those of scope
 * admin, and a test holds this table against the app's routes.
 *
 * `read` looks at machines, never into a browser: a page, its title and even its URL may be somebody's mail, and whoever reads it uses
 * that person's login. So tabs, content and screenshots want `operate` like clicks do, and so do the whole CDP door and the logs: the
 * agent writes down what dialogs and Chromium say, and its lines stand on the console, too.
 */
export const ROUTE_SCOPES: Record<string, Scope | null> = {
  "GET /healthz": null,
  "GET /readyz": null,
  "GET /openapi.json": null,
  "GET /.well-known/oauth-protected-resource/mcp": null,
  "GET /agui/demo": null, // a page: the same for everybody
  "GET /live/:name": null, // the page itself: the same for everybody, whatever the name

  "GET /api/v1/vms": "read",
  "GET /api/v1/vms/:name": "read",
  "GET /api/v1/vms/:name/egress": "read",
  "GET /api/v1/vms/:name/proxy": "read",
  "GET /api/v1/events": "read",
  "GET /api/v1/events/vms": "read",
  "GET /api/v1/images": "read",
  "GET /api/v1/images/:id": "read",
  "GET /api/v1/profiles": "read",
  "GET /api/v1/profiles/:profile": "read",
  "GET /api/v1/system/status": "read",
  "GET /api/v1/system/activity": "read",
  "GET /metrics": "read",

  "POST /api/v1/vms": "operate",
  "PATCH /api/v1/vms/:name": "operate",
  "DELETE /api/v1/vms/:name": "operate",
  "POST /api/v1/vms/:name/start": "operate",
  "POST /api/v1/vms/:name/stop": "operate",
  "POST /api/v1/vms/:name/restart": "operate",
  "POST /api/v1/vms/:name/pause": "operate",
  "POST /api/v1/vms/:name/resume": "operate",
  "PUT /api/v1/vms/:name/egress": "operate",
  "PUT /api/v1/vms/:name/proxy": "operate",
  "DELETE /api/v1/vms/:name/proxy": "operate",
  "GET /api/v1/vms/:name/logs": "operate",
  "GET /api/v1/vms/:name/shell": "operate",

  "POST /api/v1/vms/:name/browser/navigate": "operate",
  "POST /api/v1/vms/:name/browser/evaluate": "operate",
  "POST /api/v1/vms/:name/browser/screenshot": "operate",
  "POST /api/v1/vms/:name/browser/content": "operate",
  "GET /api/v1/vms/:name/browser/tabs": "operate",
  "GET /api/v1/vms/:name/browser/entries": "operate",
  "GET /api/v1/vms/:name/browser/downloads/:id": "operate",
  "GET /api/v1/vms/:name/browser/recordings/:id": "operate",
  "POST /api/v1/vms/:name/browser/downloads/:id/keep": "operate",
  "GET /api/v1/artifacts": "operate",
  "GET /api/v1/artifacts/:id": "operate",
  "GET /api/v1/artifacts/:id/content": "operate",
  "DELETE /api/v1/artifacts/:id": "operate",
  "PUT /api/v1/vms/:name/browser/uploads/:file_name": "operate",
  ...Object.fromEntries(
    Object.keys(BROWSER_OPERATIONS).map((name) => [`POST /api/v1/vms/:name/browser/${name}`, "operate" as const]),
  ),

  "GET /live/:name/link": "operate",
  "GET /live/:name/socket/:link": "operate",
  "PUT /live/:name/files/:batch/:file_name": "operate",
  "GET /live/:name/downloads/:id": "operate",
  "GET /api/v1/vms/:name/live-links": "operate",
  "POST /api/v1/vms/:name/live-links": "operate",
  "DELETE /api/v1/live-links/:id": "operate",
  "GET /api/v1/vms/:name/control": "read",
  "POST /api/v1/vms/:name/control": "operate",

  "POST /api/v1/vms/:name/cdp-token": "operate",
  "GET /api/v1/vms/:name/cdp": "operate",
  "GET /api/v1/vms/:name/cdp/devtools/browser": "operate",
  "GET /api/v1/vms/:name/cdp/devtools/browser/:id": "operate",
  "GET /api/v1/vms/:name/cdp/devtools/page/:id": "operate",
  "GET /api/v1/vms/:name/cdp/json": "operate",
  "GET /api/v1/vms/:name/cdp/json/version": "operate",
  "GET /api/v1/vms/:name/cdp/json/list": "operate",
  "GET /api/v1/vms/:name/cdp/json/protocol": "operate",
  "GET /api/v1/vms/:name/cdp/json/new": "operate",
  "PUT /api/v1/vms/:name/cdp/json/new": "operate",
  "GET /api/v1/vms/:name/cdp/json/activate/:id": "operate",
  "GET /api/v1/vms/:name/cdp/json/close/:id": "operate",

  "POST /api/v1/profiles": "operate",
  "DELETE /api/v1/profiles/:profile": "operate",
  "GET /api/v1/profiles/:profile/state": "operate",
  "PUT /api/v1/profiles/:profile/state": "operate",
  "GET /api/v1/profiles/:profile/archive": "operate",
  "PUT /api/v1/profiles/:profile/archive": "operate",
  "POST /api/v1/profiles/rotate-key": "admin",

  // What a key may do there is judged tool by tool.
  "POST /mcp": "read",
  "GET /mcp": "read",
  "DELETE /mcp": "read",
  "POST /mcp/vms/:name": "read",
  "GET /mcp/vms/:name": "read",
  "DELETE /mcp/vms/:name": "read",

  "POST /agui": "read", // each tool wants its own scope
  "POST /agui/vms/:name": "read",
  "GET /agui/capabilities": "read",

  "GET /api/v1/keys": "admin",
  "POST /api/v1/keys": "admin",
  "DELETE /api/v1/keys/:key": "admin",
  "GET /api/v1/audit": "admin",
};

const RANK: Record<Scope, number> = { read: 1, operate: 2, admin: 3 };
export const holds = (held: Scope, needed: Scope): boolean => RANK[held] >= RANK[needed];

/** Paths that answer without a key, and say nothing about anybody's VMs. */
const OPEN_PATHS: ReadonlySet<string> = new Set(
  Object.entries(ROUTE_SCOPES)
    .filter(([, scope]) => scope === null)
    .map(([route]) => route.slice(route.indexOf(" ") + 1)),
);

const LIVE_PAGE = /^\/live\/[^/]+$/;
export const isOpen = (path: string): boolean => OPEN_PATHS.has(path) || LIVE_PAGE.test(path);

const PATTERNS = Object.entries(ROUTE_SCOPES).flatMap(([route, scope]) => {
  const [method = "", path = ""] = route.split(" ");
  const pattern = new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/:[^/]+/g, "[^/]+")}/?$`);
  return scope === null ? [] : [{ method, pattern, scope }];
});

/** What this call needs; null when there is no such route. Where two routes could be meant, the stricter one counts. */
export function scopeOf(method: string, path: string): Scope | null {
  const asked = method === "HEAD" ? "GET" : method;
  let needed: Scope | null = null;
  for (const route of PATTERNS)
    if (route.method === asked && route.pattern.test(path) && (needed === null || holds(route.scope, needed)))
      needed = route.scope;
  return needed;
}
