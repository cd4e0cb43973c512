/** What a caller is told about the DevTools of one VM: every URL points back at this server, with the caller's own way in. */

/** `base` is `http://HOST/api/v1/vms/NAME/cdp` as the caller sees it; `token` is carried over into each URL. */
export type Door = { base: string; token: string };

const SOCKET_PATH = /\/devtools\/(browser|page)\/([A-Za-z0-9-]{1,64})$/;

export const httpUrl = ({ base, token }: Door): string => `${base}?token=${token}`;
export const socketUrl = ({ base, token }: Door, path = ""): string =>
  `${base.replace(/^http/, "ws")}${path}?token=${token}`;

/** Our path for a socket URL of the guest's. Its host is ignored and nothing but a well-formed path is taken over. */
function socketPath(guestUrl: unknown): string | null {
  const match = typeof guestUrl === "string" ? SOCKET_PATH.exec(guestUrl) : null;
  return match && `/devtools/${match[1]}/${match[2]}`;
}

/** The inspector that every Chrome carries; it opens sockets with the origin devtools://devtools. */
const inspectorUrl = (socket: string): string =>
  `devtools://devtools/bundled/inspector.html?${socket.startsWith("wss:") ? "wss" : "ws"}=${encodeURIComponent(socket.replace(/^wss?:\/\//, ""))}`;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** `/json/version` of the guest, with our URL in it. */
export function rewriteVersion(reply: unknown, door: Door): Record<string, unknown> {
  const version = isObject(reply) ? reply : {};
  return { ...version, webSocketDebuggerUrl: socketUrl(door, socketPath(version.webSocketDebuggerUrl) ?? "") };
}

/** One target of `/json/list` or `/json/new`. */
export function rewriteTarget(reply: unknown, door: Door): Record<string, unknown> {
  const target = isObject(reply) ? reply : {};
  const path = socketPath(target.webSocketDebuggerUrl) ?? socketPath(`/devtools/page/${String(target.id)}`);
  const {
    webSocketDebuggerUrl: _theirs,
    devtoolsFrontendUrl: _page,
    devtoolsFrontendUrlCompat: _old,
    ...rest
  } = target;
  if (path === null) return rest;
  const url = socketUrl(door, path);
  return { ...rest, webSocketDebuggerUrl: url, devtoolsFrontendUrl: inspectorUrl(url) };
}

export const rewriteTargets = (reply: unknown, door: Door): Record<string, unknown>[] =>
  Array.isArray(reply) ? reply.map((target) => rewriteTarget(target, door)) : [];
