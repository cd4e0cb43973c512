import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import type { VmEvent } from "../contract/index.ts";
import { VMS_URI, vmUri } from "./uris.ts";

/** After a stream of events broke off (its reader fell behind), milliseconds. */
const AGAIN_MS = 1_000;

/** What comes into a list of resources, or goes. */
const LISTED: ReadonlySet<VmEvent["type"]> = new Set([
  "VM_CREATED",
  "VM_DELETED",
  "VM_ARTIFACT_KEPT",
  "VM_ARTIFACT_DELETED",
]);

type Listener = (event: ServerEvent) => void;

/**
 * What changed, for the subscribers of one key: it tells of VMs the key sees and of no others. The events are read while somebody listens,
 * and by one reader for all.
 */
export class Updates implements ServerEventBus {
  readonly #listeners = new Set<Listener>();
  #reading: AbortController | null = null;

  /** @param source events from now on, of the VMs the key sees */
  constructor(
    private readonly source: (signal: AbortSignal) => AsyncIterable<VmEvent>,
    private readonly closing: AbortSignal,
  ) {}

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (!this.#reading) {
      this.#reading = new AbortController();
      void this.#read(AbortSignal.any([this.#reading.signal, this.closing]));
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#reading?.abort();
      this.#reading = null;
    };
  }

  publish(event: ServerEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  async #read(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of this.source(signal)) this.#tell(event);
      } catch {
        if (!signal.aborted) this.publish({ kind: "resources_list_changed" }); // what was missed is not known
      }
      if (!signal.aborted) await pause(AGAIN_MS, signal);
    }
  }

  #tell({ type, vm_name: name }: VmEvent): void {
    if (LISTED.has(type)) this.publish({ kind: "resources_list_changed" });
    if (type.startsWith("VM_ARTIFACT_")) return; // nothing of the VM itself is another
    this.publish({ kind: "resource_updated", uri: VMS_URI });
    this.publish({ kind: "resource_updated", uri: vmUri(name) });
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
