import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { VM_LOG_FILES, VM_RUN_FILES } from "../../src/config/paths.ts";
import { type EgressPolicy, type EgressRefusal, HypeError } from "../../src/contract/index.ts";
import { endProcess, isAlive, spawnDetached } from "../../src/host/process.ts";
import type { GuestNic } from "../../src/hypervisor/driver.ts";
import type { Attachment, AttachmentRecord, Network, NetworkClient } from "../../src/network/network.ts";
import type { Hook } from "./fake-driver.ts";

export type NetworkStep = "attach" | "spawned" | "attached" | "detach" | "detached";

/**
 * A network whose attachments are real processes that do nothing. A guest is reached at a loopback address of its own
 * (127.0.0.0/8 has 16 million), so that no port has to be found free.
 */
export class FakeNetwork implements Network {
  readonly mode = "user";
  readonly defaultEgress: EgressPolicy = { mode: "open", allow: [], deny: [] };
  hook: Hook<NetworkStep> = () => {};
  readonly detached: AttachmentRecord[] = [];

  /** What each VM was attached with, by id. */
  readonly asked = new Map<string, EgressPolicy>();
  /** Gives attachments a slot, as the slot network does. */
  slotOf: (vmId: string) => number | undefined = () => undefined;
  #listeners = new Set<(slot: number, refusals: EgressRefusal[]) => void>();
  onRefusal(listener: (slot: number, refusals: EgressRefusal[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  refuse(slot: number, refusals: EgressRefusal[]): void {
    for (const listener of this.#listeners) listener(slot, refusals);
  }
  /** What was put into force, by endpoint, the latest last. */
  readonly policies: [endpoint: string, EgressPolicy][] = [];
  mustPolice(): void {}
  async setEgress(record: AttachmentRecord, policy: EgressPolicy): Promise<void> {
    this.policies.push([record.endpoint, policy]);
  }
  async egress(): Promise<null> {
    return null;
  }
  async reconcile(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}

  async attach(vm: NetworkClient, signal: AbortSignal): Promise<Attachment> {
    this.asked.set(vm.id, vm.egress);
    await this.hook("attach", vm.id, signal);
    if (signal.aborted) throw new HypeError("cancelled", "the start was cancelled");
    const hostname = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
    const port = randomInt(1024, 32_768); // below the kernel's own choices for outgoing connections
    const child = spawnDetached(["sleep", "infinity"], {
      cwd: vm.runDir,
      logFile: join(vm.logDir, VM_LOG_FILES.network),
    });
    try {
      await this.hook("spawned", vm.id, signal);
      writeFileSync(join(vm.runDir, VM_RUN_FILES.passtPid), JSON.stringify(child.identity));
      await this.hook("attached", vm.id, signal);
    } catch (thrown) {
      await endProcess(child.identity, 0);
      throw thrown;
    }
    const slot = this.slotOf(vm.id);
    return {
      record: {
        mode: "user",
        endpoint: `http://${hostname}:${port}`,
        processes: [child.identity],
        ...(slot === undefined ? {} : { slot }),
      },
      nic: { kind: "passt", socket: `${hostname}:${port}`, mac: "02:00:00:00:00:01" },
      ipParameter: `10.0.0.2::10.0.0.1:255.255.255.252:${vm.name}:eth0:off:10.0.0.1`,
    };
  }

  async alive(record: AttachmentRecord): Promise<boolean> {
    return record.processes.every(isAlive);
  }

  async detach(record: AttachmentRecord): Promise<void> {
    await this.hook("detach", record.endpoint, null);
    await Promise.all(record.processes.map((identity) => endProcess(identity, 0)));
    this.detached.push(record);
    await this.hook("detached", record.endpoint, null);
  }
}

/** Where the fake guest behind a NIC of this network has to listen. */
export function addressOf(nic: GuestNic): { hostname: string; port: number } {
  if (nic.kind !== "passt") throw new HypeError("network_failed", "not a NIC of the fake network");
  const [hostname = "", port] = nic.socket.split(":");
  return { hostname, port: Number(port) };
}
