import { STATUS_CODES } from "node:http";
import type { Protocol } from "devtools-protocol";
import { type AddRule, type Emulation, HypeError, type Rule } from "../../src/contract/index.ts";
import { CommandRefused, type Connection } from "../cdp/connection.ts";
import type { Layer, Overlay } from "../overlay/overlay.ts";
import type { OverlayTarget } from "../overlay/target.ts";
import { preflightFor, Rules, type Verdict } from "./rules.ts";
import { conditions, WorkerGuards } from "./web-sockets.ts";

/** A request asks at most once for the same credentials: they were wrong. Remembered for so many. */
const MAX_TRIED = 1_000;
const OWNER = "intercept";

/**
 * Stops the requests that a rule or credentials concern, and decides at once: nothing is ever held here, so that nothing hangs
 * when a rule goes. Chromium itself lets all that is stopped go on when this process dies.
 */
export class Interceptor implements Layer {
  readonly #rules = new Rules();
  #tried = new Set<string>();
  #enabled = new WeakMap<OverlayTarget, string>();
  #sockets = new WeakMap<OverlayTarget, string>();
  readonly #guards = new WorkerGuards();

  /** @param settings tells the credentials of a tab */
  constructor(
    private readonly overlay: Overlay,
    private readonly settings: { effective(tab: string | null): Emulation; hasCredentials(): boolean },
  ) {
    overlay.add(this);
  }

  isWanted(): boolean {
    return !this.#rules.isEmpty || this.settings.hasCredentials();
  }

  /** @throws HypeError `limit_reached` | `interception_refused`; then the rule is in effect nowhere */
  async add(request: AddRule): Promise<Rule> {
    const rule = this.#rules.add(request);
    try {
      await this.apply();
    } catch (thrown) {
      this.#rules.remove([rule.id]);
      await this.apply().catch(() => {}); // what cannot be taken back was not taken
      throw thrown;
    }
    return rule;
  }

  list(): Rule[] {
    return this.#rules.list();
  }

  /** @throws HypeError `rule_not_found` */
  async remove(ids: string[] | undefined): Promise<void> {
    this.#rules.remove(ids);
    await this.apply().catch(() => {}); // a tab that goes on stopping its requests lets them pass
  }

  /**
   * Resolves when all targets obey the rules as they are now; one that crashed or closed meanwhile needs none.
   * @throws HypeError `interception_refused` with Chromium's reason
   */
  async apply(): Promise<void> {
    await this.overlay.refresh();
    const failed = await this.overlay.order((target) => this.attach(target));
    for (const { target, reason } of failed)
      if (reason instanceof CommandRefused && this.overlay.targets.includes(target))
        throw new HypeError("interception_refused", `${target.type} ${target.targetId}: ${reason.message}`);
  }

  attach(target: OverlayTarget): Promise<unknown>[] {
    const patterns = this.#rules.patterns(target.tab);
    const { http_credentials: credentials } = this.settings.effective(target.tab);
    if (credentials)
      patterns.push({ urlPattern: credentials.origin ? `${new URL(credentials.origin).origin}/*` : "*" });
    const params = { patterns, handleAuthRequests: credentials != null };
    const text = patterns.length === 0 ? "" : JSON.stringify(params);
    const sockets = this.#attachSockets(target);
    // The requests of these are their page's to Chromium.
    if (target.type === "worker") return sockets;
    if ((this.#enabled.get(target) ?? "") === text) return sockets;
    this.#enabled.set(target, text);
    const sent = text === "" ? target.send("Fetch.disable", undefined) : target.send("Fetch.enable", params);
    // Not in effect: the next change asks again.
    sent.catch(() => this.#enabled.get(target) === text && this.#enabled.delete(target));
    return [...sockets, sent];
  }

  #attachSockets(target: OverlayTarget): Promise<unknown>[] {
    const rules = this.#rules.sockets(target.tab);
    const before = this.#sockets.get(target);
    if (rules.length === 0 && before === undefined) return [];
    if (target.isWorker) {
      this.#sockets.set(target, "");
      return [this.#guards.set(target, rules)];
    }
    const matchedNetworkConditions = conditions(rules, this.settings.effective(target.tab));
    const text = JSON.stringify(matchedNetworkConditions);
    if (before === text) return [];
    this.#sockets.set(target, text);
    return [
      target.enable("Network", OWNER),
      target.send("Network.emulateNetworkConditionsByRule", { matchedNetworkConditions }),
    ];
  }

  detach(target: OverlayTarget, isGone: boolean): void {
    if (target.isTab && isGone) this.#rules.forget((tab) => tab === target.targetId);
  }

  forgetTabs(): void {
    this.#rules.forget(() => true);
  }

  connected(connection: Connection, targetOf: (sessionId: string | undefined) => OverlayTarget | undefined): void {
    connection.on("Fetch.requestPaused", (paused, sessionId) => {
      const target = targetOf(sessionId);
      if (target) void this.#decide(target, paused);
    });
    connection.on("Fetch.authRequired", (asked, sessionId) => {
      const target = targetOf(sessionId);
      if (target) this.#authenticate(target, asked);
    });
  }

  async #decide(target: OverlayTarget, paused: Protocol.Fetch.RequestPausedEvent): Promise<void> {
    const { requestId, request } = paused;
    const { decision, headers } = this.#rules.judge(target.tab, paused);
    try {
      if (decision.type === "block")
        await target.answer("Fetch.failRequest", { requestId, errorReason: "BlockedByClient" });
      else if (decision.type === "mock")
        await target.answer("Fetch.fulfillRequest", mocked(requestId, request, decision));
      else
        await target.answer("Fetch.continueRequest", {
          requestId,
          ...(headers && { headers: changed(request, headers) }),
        });
    } catch {
      // It went away with its page; or Chromium did not like the answer: what a rule is for must not reach the site without it.
      await target.answer("Fetch.failRequest", { requestId, errorReason: "Failed" }).catch(() => {});
    }
  }

  #authenticate(target: OverlayTarget, { requestId, authChallenge }: Protocol.Fetch.AuthRequiredEvent): void {
    const { http_credentials: given } = this.settings.effective(target.tab);
    const isMeant = given && (!given.origin || new URL(given.origin).origin === authChallenge.origin);
    const wasTried = this.#tried.has(requestId);
    this.#tried.add(requestId);
    if (this.#tried.size > MAX_TRIED) this.#tried.delete(this.#tried.values().next().value!);
    const authChallengeResponse =
      isMeant && !wasTried
        ? { response: "ProvideCredentials" as const, username: given.username, password: given.password }
        : { response: "CancelAuth" as const }; // the page is shown the 401
    target.answer("Fetch.continueWithAuth", { requestId, authChallengeResponse }).catch(() => {}); // it went away with its page
  }
}

function changed(request: Protocol.Network.Request, headers: NonNullable<Verdict["headers"]>) {
  const set = new Map(Object.entries(headers.set).map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const kept = Object.entries(request.headers)
    .map(([name, value]) => ({ name, value: String(value) }))
    .filter(({ name }) => !set.has(name.toLowerCase()) && !headers.remove.has(name.toLowerCase()));
  return [...kept, ...set.values()];
}

/** A mock must not fail for want of the site's consent to be read: unless it says otherwise itself, the asking origin may. */
function mocked(
  requestId: string,
  request: Protocol.Network.Request,
  { status, headers, body, body_base64 }: AddRule["action"] & { type: "mock" },
): Protocol.Fetch.FulfillRequestRequest {
  const all = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const asked = new Map(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const preflight = preflightFor(request);
  const origin = asked.get("origin");
  if (origin && !all.has("access-control-allow-origin")) {
    all.set("access-control-allow-origin", origin);
    all.set("access-control-allow-credentials", "true");
    if (preflight) {
      all.set("access-control-allow-methods", preflight);
      all.set("access-control-allow-headers", asked.get("access-control-request-headers") ?? "*");
    }
  }
  return {
    requestId,
    responseCode: preflight ? 204 : status,
    responsePhrase: STATUS_CODES[preflight ? 204 : status] ?? "Mocked", // Chromium has none for every code, and then refuses
    responseHeaders: [...all].map(([name, value]) => ({ name, value })),
    ...(!preflight && { body: body_base64 ?? Buffer.from(body ?? "").toString("base64") }),
  };
}
