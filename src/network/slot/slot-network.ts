import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/load.ts";
import { AGENT_PORT, type EgressPolicy, HypeError, messageOf } from "../../contract/index.ts";
import { run, tail } from "../../host/run.ts";
import type { Log } from "../../log/log.ts";
import { Resolver } from "../dns/resolver.ts";
import { NameServers } from "../dns/servers.ts";
import {
  type Attachment,
  type AttachmentRecord,
  type EgressReport,
  INSIDE,
  type Network,
  type NetworkClient,
  slotNumber,
} from "../network.ts";
import { nftInSlot, plugCommands } from "./build.ts";
import { firewallConflicts } from "./conflicts.ts";
import { readCounts } from "./counts.ts";
import { sharedFaults } from "./faults.ts";
import { restoreHostNetwork } from "./host.ts";
import { DNS_PORT, NETNS_DIR, slotName, slotOf } from "./identity.ts";
import { type RefusalListener, RefusalWatch } from "./refusal-watch.ts";
import { policyChange } from "./rules.ts";
import { DEFAULT_EGRESS, isWhole, Slots } from "./slots.ts";
import { isNamespace, linkNames, type SlotLink, slotLinks, slotNamespaces } from "./survey.ts";

/** Age at which an empty file among the namespaces is no longer one in the making, milliseconds. */
const STALE_MS = 60_000;

export type SlotOptions = {
  uidOf: (slot: number) => number | null;
  /** Numbers of all VMs there are; their slots are not built ahead. */
  leased?: () => Iterable<number>;
};

/** The network of a host that was set up for it: one policed namespace per VM behind a bridge, and a resolver for the guests. */
export class SlotNetwork implements Network {
  readonly mode = "slot";
  readonly defaultEgress = DEFAULT_EGRESS;
  readonly #slots: Slots;
  readonly #refusals: RefusalWatch;
  #resolver: Resolver | null = null;
  #conflicts = "";

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    { uidOf, leased = () => [] }: SlotOptions,
  ) {
    this.#slots = new Slots(config, log, uidOf, leased);
    this.#refusals = new RefusalWatch(() => this.#slots.held());
  }

  /** Begins to answer guests' names. Slots are built ahead from the first reconciling on. @throws HypeError network_unavailable */
  async start(): Promise<void> {
    const { hostIp, subnet, dns } = this.config;
    const servers = new NameServers(dns, hostIp);
    this.#resolver = await Resolver.open({ address: hostIp, port: DNS_PORT, subnet, servers });
  }

  mustPolice(): void {}

  async attach(vm: NetworkClient, signal: AbortSignal): Promise<Attachment> {
    throwIfCancelled(signal);
    const slot = slotNumber(vm.ipAddress, this.config.subnet);
    await this.#slots.take(slot, vm.uid, vm.egress);
    this.#refusals.forget(slot);
    if (signal.aborted) {
      await this.#slots.give([slot]);
      throwIfCancelled(signal);
    }
    return {
      record: { mode: this.mode, endpoint: `http://${vm.ipAddress}:${AGENT_PORT}`, processes: [], slot },
      nic: { kind: "tap", name: "tap0", namespace: slotName(slot), mac: INSIDE.mac },
      ipParameter: `${INSIDE.address}::${INSIDE.gateway}:${INSIDE.netmask}:${vm.name}:${INSIDE.interface}:off:${INSIDE.dns}`,
    };
  }

  async alive({ slot }: AttachmentRecord): Promise<boolean> {
    return slot !== undefined && isWhole(slot);
  }

  async detach({ slot }: AttachmentRecord): Promise<void> {
    if (slot !== undefined) await this.#slots.give([slot]);
  }

  async setEgress({ slot }: AttachmentRecord, policy: EgressPolicy): Promise<void> {
    if (slot !== undefined) await nftInSlot(slot, ["-f", "-"], policyChange(policy, this.config));
  }

  async egress({ slot }: AttachmentRecord): Promise<EgressReport | null> {
    return slot === undefined ? null : await readCounts(slot);
  }

  onRefusal(listener: RefusalListener): () => void {
    return this.#refusals.listen(listener);
  }

  /** Numbers of the slots built ahead of need. */
  readySlots(): number[] {
    return this.#slots.ready();
  }

  /** Resolves when the slots to be built ahead are built, or cannot be. */
  async filled(): Promise<void> {
    await this.#slots.refill();
  }

  async reconcile(held: readonly AttachmentRecord[]): Promise<void> {
    const newcomers = held.flatMap(({ slot }) => (slot === undefined || this.#slots.knows(slot) ? [] : [slot]));
    for (const slot of newcomers) {
      this.#slots.takeUp(slot);
      this.#refusals.skipPast(slot);
    }
    await this.#mendShared();
    await this.#tellConflicts();
    const links = await slotLinks(this.config);
    await this.#plug(links);
    await this.#removeStrays(links);
    await this.#slots.prune();
    if (this.#resolver) void this.#slots.refill();
  }

  /** Stops answering names and removes what nobody holds; the slots of VMs stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#refusals.stop();
    await this.#resolver?.[Symbol.asyncDispose]();
    this.#resolver = null;
    try {
      await this.#slots.close();
    } catch (thrown) {
      this.log.warn(`a slot that was kept ready is left: ${messageOf(thrown)}`);
    }
  }

  /** The bridge, its address and our table, where somebody took them away. A server that uses another network leaves them alone. */
  async #mendShared(): Promise<void> {
    if (!this.#resolver) return;
    const faults = await sharedFaults(this.config);
    if (faults.length === 0) return;
    this.log.warn("mending the host's side of the slot network", { faults });
    await restoreHostNetwork(this.config);
  }

  /** Said once, and again when it changes. */
  async #tellConflicts(): Promise<void> {
    if (!this.#resolver) return;
    const conflicts = await firewallConflicts(this.config);
    const text = JSON.stringify(conflicts);
    if (text !== this.#conflicts && conflicts.length > 0)
      this.log.warn("another firewall may stop guests' traffic", { conflicts });
    this.#conflicts = text;
  }

  /** Puts slots back into a bridge that was made anew. */
  async #plug(links: readonly SlotLink[]): Promise<void> {
    const { bridge } = this.config;
    const loose = links.filter(
      ({ slot, master, isolated, up }) => this.#settled(slot) && !(master === bridge && isolated && up),
    );
    if (loose.length === 0 || !this.#resolver) return;
    const lines = loose.flatMap(({ name }) => plugCommands(name, this.config));
    const { stderr } = await run(["ip", "-force", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
    this.log.warn("put slots back into the bridge", { slots: loose.map(({ name }) => name), said: tail(stderr, 3) });
  }

  #settled(slot: number): boolean {
    return this.#slots.held().includes(slot) || this.#slots.ready().includes(slot);
  }

  /** Slots of ours that no row holds and this process does not know. */
  async #removeStrays(links: readonly SlotLink[]): Promise<void> {
    const present = linkNames();
    const loners = slotNamespaces().filter((name) => !present.has(name));
    for (const name of loners.filter((loner) => !isNamespace(loner))) removeStaleFile(join(NETNS_DIR, name));
    const numbers = [...links.map(({ slot }) => slot), ...loners.filter(isNamespace).map((name) => slotOf(name)!)];
    const strays = numbers.filter((slot) => !this.#slots.knows(slot));
    if (strays.length === 0) return;
    await this.#slots.give(strays);
    this.log.info("removed slots that no VM holds", { slots: strays.map(slotName) });
  }
}

/** What ip-netns(8) leaves when it dies between making the file and mounting the namespace over it. */
function removeStaleFile(path: string): void {
  try {
    const { mtimeMs, size } = statSync(path);
    if (size === 0 && Date.now() - mtimeMs > STALE_MS) rmSync(path);
  } catch {
    // gone, or a namespace by now
  }
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted)
    throw signal.reason instanceof HypeError ? signal.reason : new HypeError("cancelled", "the start was cancelled");
}
