import type { AgentHealth, BrowserEvent, EventType } from "../contract/index.ts";
import { type Context, mustFind } from "./context.ts";
import { record } from "./states.ts";

/** A hostile guest could tell of deaths without end and push every other VM's history out of the journal. */
const TOLD_PER_MINUTE = 20;
const REASON_CHARACTERS = 300;

/**
 * Turns what a guest's agent says of its Chromium into events and `browser_restarts`, also what happened while nobody
 * listened: the agent's counter and its age betray it. All of it is the guest's word.
 */
export class BrowserWatch {
  readonly #ctx: Context;
  readonly #vmId: string;
  /** The agent's own counter as last heard; it starts at 0 with the agent. */
  #counted: number;
  #ready = true;
  #atConnection = true;
  #connectedAtMs: number | null = null;
  #told: number[] = [];

  constructor(ctx: Context, vmId: string) {
    this.#ctx = ctx;
    this.#vmId = vmId;
    this.#counted = mustFind(ctx, vmId).browser_restarts;
  }

  /** A connection is about to be made; the agent has just answered this. */
  connecting(health: AgentHealth): void {
    const nowMs = performance.now();
    this.#atConnection = true;
    const younger = this.#connectedAtMs !== null && health.uptime_ms < nowMs - this.#connectedAtMs;
    this.#connectedAtMs = nowMs;
    if (!younger) return;
    this.#counted = 0;
    this.#died(1, "the agent was restarted, and Chromium with it");
  }

  note(event: BrowserEvent): void {
    const more = Math.min(Math.max(0, Math.trunc(event.restarts) - this.#counted), 1000) || 0;
    this.#counted += more;
    if (event.type === "browser_died") this.#died(Math.max(1, more), event.reason);
    else if (more > 0 && this.#atConnection) this.#died(more, "Chromium died while the agent could not be heard");
    this.#atConnection = false;
    if (event.type === "browser_starting") this.#ready = false;
    if (event.type === "browser_ready" && !this.#ready) {
      this.#ready = true;
      this.#tell("VM_BROWSER_READY", {}, { version: printable(event.version) });
    }
  }

  #died(times: number, reason: string): void {
    this.#ready = false;
    const restarts = mustFind(this.#ctx, this.#vmId).browser_restarts + times;
    this.#tell("VM_BROWSER_DIED", { browser_restarts: restarts }, { reason: printable(reason), restarts });
  }

  #tell(type: EventType, patch: { browser_restarts?: number }, data: Record<string, unknown>): void {
    const nowMs = performance.now();
    this.#told = this.#told.filter((at) => at > nowMs - 60_000);
    if (this.#told.length >= TOLD_PER_MINUTE) {
      this.#ctx.log.debug("the guest tells more of its browser than is kept", { vm: this.#vmId, type });
      return;
    }
    this.#told.push(nowMs);
    record(this.#ctx, this.#vmId, patch, type, data);
  }
}

/** Text of the guest as it may stand in an event. */
const printable = (text: string): string => text.slice(0, REASON_CHARACTERS).replace(/\p{Cc}/gu, " ");
