import type { Config } from "../../config/load.ts";
import { type EgressPolicy, HypeError, messageOf } from "../../contract/index.ts";
import type { Log } from "../../log/log.ts";
import { slotNumber } from "../network.ts";
import { buildSlot, nftInSlot, removeLinks, removeSlots } from "./build.ts";
import { slotName } from "./identity.ts";
import { policyChange } from "./rules.ts";
import { isNamespace, isOurNamespace, linkNames, namespaceNames, remainsOf, slotLinks } from "./survey.ts";

/** What every slot is built with; a VM without a policy of its own gets it as it is. */
export const DEFAULT_EGRESS: EgressPolicy = { mode: "internet", allow: [], deny: [] };

/**
 * `ready`: built ahead, nobody's. `held`: a VM's; one that an earlier server built is looked at again before it is removed, since a row may be
 * older than the host's boot. The others have work under way that whoever wants the slot waits for.
 */
type Entry =
  | { phase: "ready"; uid: number | null }
  | { phase: "held"; builtHere: boolean }
  | { phase: "building" | "leaving"; work: Promise<void> };

/** Between an attachment and the building of what replaces it, milliseconds: the VM that was just given a slot starts first. */
const REFILL_DELAY_MS = 100;
/** Cold builds at once: they wait for the same lock of the kernel (rtnl) anyway. */
const BUILDS = 3;

/** The slots this process knows: what it builds, keeps ready, has handed out, and removes. Numbers are positions in the subnet. */
export class Slots {
  readonly #entries = new Map<number, Entry>();
  #building = 0;
  readonly #queue: (() => void)[] = [];
  #refillTimer: Timer | null = null;
  #refilling: Promise<void> | null = null;
  #closed = false;

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly uidOf: (slot: number) => number | null,
    /** Numbers of all VMs there are, started or not: their slots are built when they are started. */
    private readonly leased: () => Iterable<number>,
  ) {}

  knows(slot: number): boolean {
    return this.#entries.has(slot);
  }

  held(): number[] {
    return this.#numbers("held");
  }

  ready(): number[] {
    return this.#numbers("ready");
  }

  /** A slot that an earlier server handed out. */
  takeUp(slot: number): void {
    if (!this.#entries.has(slot)) this.#entries.set(slot, { phase: "held", builtHere: false });
  }

  /** Hands out a slot: the one built ahead, else one built now. @throws HypeError network_failed | tool_missing; nothing is left then. */
  async take(slot: number, uid: number | null, policy: EgressPolicy): Promise<void> {
    for (let entry = this.#entries.get(slot); entry; entry = this.#entries.get(slot)) {
      if (entry.phase === "held") throw new HypeError("network_failed", `${slotName(slot)} belongs to a VM already`);
      if (entry.phase === "ready") {
        if (entry.uid === uid && isWhole(slot)) {
          this.#entries.set(slot, { phase: "held", builtHere: true });
          this.#refillSoon();
          return await this.#enforce(slot, policy);
        }
        await this.give([slot]);
      } else await entry.work.catch(() => {});
    }
    await this.#build(slot, uid, policy, { phase: "held", builtHere: true });
    this.#refillSoon();
  }

  /** Removes slots. Harmless where nothing is there; what another installation made stays. @throws HypeError network_failed */
  async give(slots: readonly number[]): Promise<void> {
    const leaving = slots.filter((slot) => this.#entries.get(slot)?.phase !== "leaving");
    const others = slots.map((slot) => this.#entries.get(slot)).filter((entry) => entry?.phase === "leaving");
    const before = new Map(leaving.map((slot) => [slot, this.#entries.get(slot)]));
    const work = this.#remove(leaving, before);
    for (const slot of leaving) this.#entries.set(slot, { phase: "leaving", work });
    try {
      await work;
      for (const slot of leaving) this.#entries.delete(slot);
    } catch (thrown) {
      // Known as before, so that the next attempt finds it.
      for (const [slot, entry] of before) {
        if (entry?.phase === "held") this.#entries.set(slot, entry);
        else this.#entries.delete(slot);
      }
      throw thrown;
    }
    await Promise.all(others.map((entry) => (entry as { work: Promise<void> }).work));
  }

  /** Forgets ready slots that somebody removed, and lets go of those that are more than the pool was ever to hold. */
  async prune(): Promise<void> {
    const ready = this.ready();
    const broken = ready.filter((slot) => !isWhole(slot));
    const surplus = ready.filter((slot) => isWhole(slot)).slice(2 * this.config.readySlots);
    await this.give([...broken, ...surplus]);
  }

  /** Starts to build what is missing of the pool; nobody waits for it. */
  refill(): Promise<void> {
    return (this.#refilling ??= this.#fill().finally(() => (this.#refilling = null)));
  }

  /** Removes what is ready and belongs to nobody; what VMs hold stays. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#refillTimer) clearTimeout(this.#refillTimer);
    await this.#refilling;
    await Promise.allSettled([...this.#entries.values()].map((entry) => ("work" in entry ? entry.work : null)));
    await this.give(this.ready());
  }

  #numbers(phase: Entry["phase"]): number[] {
    return [...this.#entries].filter(([, entry]) => entry.phase === phase).map(([slot]) => slot);
  }

  async #enforce(slot: number, policy: EgressPolicy): Promise<void> {
    if (Bun.deepEquals(policy, DEFAULT_EGRESS)) return;
    try {
      await nftInSlot(slot, ["-f", "-"], policyChange(policy, this.config));
    } catch (thrown) {
      await this.give([slot]);
      throw thrown;
    }
  }

  async #build(slot: number, uid: number | null, policy: EgressPolicy, then: Entry): Promise<void> {
    const work = this.#buildInTurn(slot, uid, policy);
    this.#entries.set(slot, { phase: "building", work });
    try {
      await work;
      this.#entries.set(slot, then);
    } catch (thrown) {
      this.#entries.delete(slot);
      throw thrown;
    }
  }

  async #buildInTurn(slot: number, uid: number | null, policy: EgressPolicy): Promise<void> {
    if (this.#building >= BUILDS) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#building++;
    try {
      if (remainsOf([slotName(slot)]).length > 0) await this.#removeOurs([slot]);
      await buildSlot(slot, this.config, { uid, policy });
    } catch (thrown) {
      // The kernel takes an unnamed namespace apart a moment later, and with it the link: at once is better.
      await this.#removeOurs([slot]).catch(() => {});
      throw thrown;
    } finally {
      this.#building--;
      this.#queue.shift()?.();
    }
  }

  async #remove(slots: readonly number[], before: ReadonlyMap<number, Entry | undefined>): Promise<void> {
    for (const entry of before.values()) if (entry?.phase === "building") await entry.work.catch(() => {});
    const known = slots.filter((slot) => {
      const entry = before.get(slot);
      return entry?.phase === "ready" || (entry?.phase === "held" && entry.builtHere);
    });
    await Promise.all([
      removeSlots(known.map(slotName), () => remainsOf(known.map(slotName))),
      this.#removeOurs(slots.filter((slot) => !known.includes(slot))),
    ]);
  }

  /** For slots this process did not build: what of them carries our mark is removed, the rest stays. */
  async #removeOurs(slots: readonly number[]): Promise<void> {
    const names = remainsOf(slots.map(slotName));
    if (names.length === 0) return;
    const links = linkNames();
    const [ends, byId] = await Promise.all([slotLinks(this.config), namespaceNames()]);
    const marked = new Map(ends.map(({ name, peerId }) => [name, peerId === null ? null : byId.get(peerId)]));
    const ours: string[] = [];
    for (const name of names)
      if (marked.get(name) === name || (!links.has(name) && (await isOurNamespace(name, this.config)))) ours.push(name);
    // A link of ours that leads elsewhere: a build that was cut short, under a name whose namespace is somebody else's or nobody's.
    const loose = names.filter((name) => marked.has(name) && !ours.includes(name));
    await Promise.all([
      removeSlots(ours, () => remainsOf(ours)),
      removeLinks(loose, () => loose.filter((name) => linkNames().has(name))),
    ]);
  }

  #refillSoon(): void {
    if (this.#closed || this.config.readySlots === 0) return;
    this.#refillTimer ??= setTimeout(() => {
      this.#refillTimer = null;
      void this.refill();
    }, REFILL_DELAY_MS);
    this.#refillTimer.unref();
  }

  async #fill(): Promise<void> {
    try {
      for (let slot = this.#next(); slot !== null && !this.#closed; slot = this.#next()) {
        const uid = this.uidOf(slot);
        await this.#build(slot, uid, DEFAULT_EGRESS, { phase: "ready", uid });
      }
    } catch (thrown) {
      this.log.warn(`no slot could be built ahead of need: ${messageOf(thrown)}`);
    }
  }

  /** The lowest number that the next new VM can get and that nothing stands in the way of; null when enough are ready. */
  #next(): number | null {
    const leased = new Set(this.leased());
    if (this.ready().filter((slot) => !leased.has(slot)).length >= this.config.readySlots) return null;
    const { subnet, hostIp } = this.config;
    const last = 2 ** (32 - Number(subnet.split("/")[1])) - 2;
    const links = linkNames();
    for (let slot = 1; slot <= last; slot++) {
      const isFree = !leased.has(slot) && !this.#entries.has(slot) && slot !== slotNumber(hostIp, subnet);
      if (isFree && !links.has(slotName(slot)) && remainsOf([slotName(slot)]).length === 0) return slot;
    }
    return null;
  }
}

/** True while a slot's parts are there by name. */
export const isWhole = (slot: number): boolean => isNamespace(slotName(slot)) && linkNames().has(slotName(slot));
