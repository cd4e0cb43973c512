import type { EgressPolicy } from "../contract/index.ts";
import type { Attachment, AttachmentRecord, EgressReport, Network, NetworkClient } from "./network.ts";

/**
 * One network for new VMs, and the other for those that an earlier server, under other settings, attached to it: each record is seen to by
 * the network that wrote it.
 */
export class ByRecord implements Network {
  readonly onRefusal?: NonNullable<Network["onRefusal"]>;

  constructor(
    private readonly chosen: Network,
    private readonly other: Network,
  ) {
    const source = [chosen, other].find(({ onRefusal }) => onRefusal);
    if (source) this.onRefusal = (listener) => source.onRefusal!(listener);
  }

  get mode(): Network["mode"] {
    return this.chosen.mode;
  }

  get defaultEgress(): EgressPolicy {
    return this.chosen.defaultEgress;
  }

  mustPolice(policy: EgressPolicy): void {
    this.chosen.mustPolice(policy);
  }

  async attach(vm: NetworkClient, signal: AbortSignal): Promise<Attachment> {
    return await this.chosen.attach(vm, signal);
  }

  async alive(record: AttachmentRecord): Promise<boolean> {
    return await this.#of(record).alive(record);
  }

  async detach(record: AttachmentRecord): Promise<void> {
    await this.#of(record).detach(record);
  }

  async setEgress(record: AttachmentRecord, policy: EgressPolicy): Promise<void> {
    await this.#of(record).setEgress(record, policy);
  }

  async egress(record: AttachmentRecord): Promise<EgressReport | null> {
    return await this.#of(record).egress(record);
  }

  async reconcile(held: readonly AttachmentRecord[]): Promise<void> {
    for (const network of [this.chosen, this.other])
      await network.reconcile(held.filter(({ mode }) => mode === network.mode));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.other[Symbol.asyncDispose]();
    await this.chosen[Symbol.asyncDispose]();
  }

  #of({ mode }: AttachmentRecord): Network {
    return mode === this.chosen.mode ? this.chosen : this.other;
  }
}
