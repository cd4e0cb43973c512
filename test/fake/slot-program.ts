/**
 * A slot network in a process of its own, to be run inside a private host and to be killed there. Standard input: one call a line, as JSON
 * `[method, ...arguments]`; standard output: `{"value": …}` or `{"error": {code, message}}` for each, in order. Calls run at once.
 */
import { loadConfig } from "../../src/config/load.ts";
import { HypeError, messageOf } from "../../src/contract/index.ts";
import { createLog } from "../../src/log/log.ts";
import type { AttachmentRecord, NetworkClient } from "../../src/network/network.ts";
import { openNetwork } from "../../src/network/open.ts";
import { firewallConflicts, overlappingRoutes } from "../../src/network/slot/conflicts.ts";
import { slotNetworkFaults } from "../../src/network/slot/faults.ts";
import { removeHostNetwork, restoreHostNetwork } from "../../src/network/slot/host.ts";
import { SlotNetwork } from "../../src/network/slot/slot-network.ts";

const config = loadConfig();
const lines: string[] = [];
const log = createLog({ level: "debug", write: (line) => lines.push(line) });
const uid = Number(process.env.OVERHYPED_TEST_UID ?? 0);
let leased: number[] = [];
const options = { uidOf: () => uid, leased: () => leased };
const network = new SlotNetwork(config, log, options);
const refusals: unknown[] = [];

const methods: Record<string, (...args: never[]) => unknown> = {
  up: () => restoreHostNetwork(config),
  down: () => removeHostNetwork(config),
  faults: () => slotNetworkFaults(config),
  routes: () => overlappingRoutes(config),
  conflicts: () => firewallConflicts(config),
  start: () => network.start(),
  attach: (vm: NetworkClient, isAborted?: boolean) =>
    network.attach(vm, isAborted ? AbortSignal.abort() : new AbortController().signal),
  detach: (record: AttachmentRecord) => network.detach(record),
  alive: (record: AttachmentRecord) => network.alive(record),
  setEgress: (record: AttachmentRecord, policy: NetworkClient["egress"]) => network.setEgress(record, policy),
  egress: (record: AttachmentRecord) => network.egress(record),
  reconcile: (held: AttachmentRecord[]) => network.reconcile(held),
  /** Reconciles and waits until the pool is full. */
  fill: async (held: AttachmentRecord[]) => {
    await network.reconcile(held);
    await network.filled();
  },
  ready: () => network.readySlots(),
  lease: (slots: number[]) => {
    leased = slots;
  },
  watch: () => {
    network.onRefusal((slot, found) => refusals.push({ slot, found }));
  },
  refusals: () => refusals,
  dispose: () => network[Symbol.asyncDispose](),
  open: async () => {
    const opened = await openNetwork(config, log, options);
    const { mode } = opened;
    await opened[Symbol.asyncDispose]();
    return mode;
  },
  log: () => lines,
};

let previous: Promise<void> = Promise.resolve();
for await (const line of console) {
  const [method = "", ...args] = JSON.parse(line) as [string, ...never[]];
  const work = (async () => methods[method]!(...args))();
  const told = previous;
  previous = (async () => {
    const reply = await work.then(
      (value) => ({ value: value ?? null }),
      (thrown: unknown) => ({
        error: { code: thrown instanceof HypeError ? thrown.code : "bug", message: messageOf(thrown) },
      }),
    );
    await told;
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  })();
}
