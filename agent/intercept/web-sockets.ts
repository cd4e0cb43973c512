import type { Protocol } from "devtools-protocol";
import { type AddRule, type Emulation, HypeError } from "../../src/contract/index.ts";
import type { OverlayTarget } from "../overlay/target.ts";

/** One rule for sockets, in the order of the rules; also as the literal texts between the stars of its address. */
export type SocketRule = { url: string; literals: string[]; block: boolean };

const FREE = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
const bytesPerSecond = (kbps: number | null | undefined) => (kbps == null ? -1 : (kbps * 1000) / 8);

/**
 * What Chromium's network is told for a document: the first pattern that matches decides. The order replaces every other of its
 * kind, so what is emulated for the whole tab stands last in it. The Fetch domain never sees a WebSocket.
 */
export function conditions(rules: SocketRule[], { offline, network }: Emulation): Protocol.Network.NetworkConditions[] {
  const all =
    !offline && network == null
      ? []
      : [
          {
            urlPattern: "",
            offline: offline ?? false,
            latency: network?.latency_ms ?? 0,
            downloadThroughput: bytesPerSecond(network?.download_kbps),
            uploadThroughput: bytesPerSecond(network?.upload_kbps),
          },
        ];
  return [
    ...rules.flatMap(({ url, block }) =>
      urlPatterns(url).map((urlPattern) => ({ urlPattern, offline: block, ...FREE })),
    ),
    ...all,
  ];
}

/** @throws HypeError `invalid_request` for a rule that no WebSocket can be held against */
export function mustBeForSockets({ url, action, methods, resource_types }: AddRule): void {
  if (!resource_types?.includes("websocket")) return;
  const refuse = (why: string) => new HypeError("invalid_request", `a rule for websocket ${why}`);
  if (resource_types.length > 1) throw refuse("stands alone: add another for the other resource types");
  if (action.type !== "block" && action.type !== "allow") throw refuse(`can block or allow, not ${action.type}`);
  if (methods) throw refuse("takes no methods");
  if (/(?<!\\)\?/.test(url)) throw refuse("takes no ? for any one character; write \\? for the mark itself");
  urlPatterns(url);
}

/**
 * The glob of a rule as URLPatterns (urlpattern.spec.whatwg.org), whose parts stand for themselves: a `*` before the first slash stays
 * within the host. @throws HypeError `invalid_request`
 */
export function urlPatterns(glob: string): string[] {
  const [, scheme = "*", rest = ""] = /^(?:(\*|wss?):\/\/)?([^]*)$/.exec(glob)!;
  if (rest.includes("://"))
    throw new HypeError("invalid_request", `url: ${glob}: for WebSockets the scheme is ws, wss or *`);
  const schemes = scheme === "*" ? ["ws", "wss"] : [scheme];
  const slash = rest.indexOf("/");
  const words = slash < 0 && rest.startsWith("*") && rest.endsWith("*") ? rest : null;
  const places =
    words !== null && words !== "*"
      ? [`${words}:*/*`, `*:*/${literally(words)}`, `*:*/*\\?${literally(words)}`]
      : [`${authority(slash < 0 ? rest : rest.slice(0, slash))}${slash < 0 ? "/*" : pathAndQuery(rest.slice(slash))}`];
  return schemes.flatMap((name) => places.map((place) => `${name}://${place}`));
}

const authority = (text: string): string => (text.endsWith("*") && !text.includes(":") ? `${text}:*` : text);
/** What URLPattern would read as its own signs is taken as it is; `\?` begins the query there, too. */
const literally = (text: string): string => text.replace(/[{}()+:]/g, "\\$&");
/** Without a star at its end a path means: no query. */
const pathAndQuery = (text: string): string =>
  text.includes("\\?") || text.endsWith("*") ? literally(text) : `${literally(text)}\\?`;

/**
 * Workers have no part in that: their constructors are wrapped before their first script runs, so that nothing in them ever holds
 * the real ones. Gives a function that takes the rules as pairs of the literals of its address and whether it blocks. Each literal is
 * looked for once, after the one before: an address that the page chooses costs its length.
 */
const GUARD = `((first) => {
  const { URL, Proxy } = self;
  const { construct } = Reflect;
  const [startsWith, endsWith, indexOf] = ["startsWith", "endsWith", "indexOf"].map((name) => Function.prototype.call.bind(String.prototype[name]));
  // Asked only when a socket is opened: before its first script a worker has no address, and Chromium dies of the question.
  const getter = (of, name) => Function.prototype.call.bind(Object.getOwnPropertyDescriptor(of, name).get);
  const [location, href] = [getter(WorkerGlobalScope.prototype, "location"), getter(WorkerLocation.prototype, "href")];
  const isLike = (literals, url) => {
    const head = literals[0], last = literals.length - 1, tail = literals[last];
    if (last === 0) return url === head;
    if (!startsWith(url, head)) return false;
    let at = head.length;
    for (let n = 1; n < last; n++) {
      const found = indexOf(url, literals[n], at);
      if (found < 0) return false;
      at = found + literals[n].length;
    }
    return url.length - tail.length >= at && endsWith(url, tail);
  };
  let rules = first;
  const isBlocked = (address) => {
    let url;
    try { url = new URL(address, href(location(self))).href; } catch { return false; }
    url = url.startsWith("http") ? "ws" + url.slice(4) : url;
    for (let n = 0; n < rules.length; n++) if (isLike(rules[n][0], url)) return rules[n][1];
    return false;
  };
  for (const name of ["WebSocket", "WebSocketStream"]) {
    const real = self[name];
    if (!real) continue;
    const guarded = new Proxy(real, {
      construct(target, [address, ...rest], newTarget) {
        const text = String(address);
        return construct(target, [isBlocked(text) ? "ws://blocked.invalid/" : text, ...rest], newTarget);
      },
    });
    real.prototype.constructor = guarded;
    Object.defineProperty(self, name, { value: guarded, writable: true, configurable: true, enumerable: false });
  }
  return (next) => { rules = next; };
})`;

/** The rules in workers, each with the function its guard gave. */
export class WorkerGuards {
  #setters = new WeakMap<OverlayTarget, Promise<string>>();

  async set(target: OverlayTarget, rules: SocketRule[]): Promise<void> {
    const value = rules.map(({ literals, block }) => [literals, block]);
    const setter = this.#setters.get(target);
    if (!setter) {
      const expression = `${GUARD}(${JSON.stringify(value)})`;
      const guarded = target.send("Runtime.evaluate", { expression }).then(({ result }) => result.objectId!);
      this.#setters.set(target, guarded);
      return void (await guarded);
    }
    await target.send("Runtime.callFunctionOn", {
      objectId: await setter,
      functionDeclaration: "function (rules) { this(rules); }",
      arguments: [{ value }],
    });
  }
}
