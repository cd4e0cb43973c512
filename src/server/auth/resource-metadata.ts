import type { Config } from "../../config/load.ts";
import { OAUTH_SCOPES } from "./oauth.ts";

export const METADATA_PATH = "/.well-known/oauth-protected-resource/mcp";
export const isMcpPath = (path: string): boolean => /^\/mcp(?:\/|$)/.test(path);

/** The URL of our MCP as tokens name it: the setting, else what this server is called by. */
export const audienceOf = ({ oauth, apiBase }: Pick<Config, "oauth" | "apiBase">): string =>
  oauth?.audience ?? `${apiBase}/mcp`;

/** Where the caller reached us. Only put into replies to that caller. */
function originOf(request: Request): string {
  const { protocol } = new URL(request.url);
  const isSecure = protocol === "https:" || request.headers.get("x-forwarded-proto")?.toLowerCase() === "https";
  return `${isSecure ? "https" : "http"}://${request.headers.get("host") ?? new URL(request.url).host}`;
}

/** RFC 9728, section 2. Without an issuer the resource takes keys of `hype keys create` only, and names no authorization server. */
export function resourceMetadata(request: Request, config: Config): object {
  return {
    resource: config.oauth ? audienceOf(config) : `${originOf(request)}/mcp`,
    resource_name: "OVERHYPED",
    ...(config.oauth && { authorization_servers: [config.oauth.issuer] }),
    scopes_supported: OAUTH_SCOPES,
    bearer_methods_supported: ["header"],
  };
}

/** Says where to learn how to come in (RFC 9728 section 5.1, MCP authorization). */
export function challenge(response: Response, request: Request): Response {
  const where = `resource_metadata="${originOf(request)}${METADATA_PATH}"`;
  const error =
    response.status === 403
      ? `error="insufficient_scope", scope="${OAUTH_SCOPES.join(" ")}", `
      : request.headers.has("authorization")
        ? 'error="invalid_token", '
        : "";
  response.headers.set("www-authenticate", `Bearer realm="overhyped", ${error}${where}`);
  return response;
}
