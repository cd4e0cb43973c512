import { expect, test } from "bun:test";
import { ByRecord } from "../../src/network/by-record.ts";
import type { AttachmentRecord, Network } from "../../src/network/network.ts";

/** Says who was asked. */
function network(mode: "user" | "slot", calls: string[]): Network {
  const note = (what: string) => void calls.push(`${mode} ${what}`);
  return {
    mode,
    defaultEgress: { mode: mode === "slot" ? "internet" : "open", allow: [], deny: [] },
    mustPolice: () => note("mustPolice"),
    attach: async () => {
      note("attach");
      return { record: record(mode), nic: { kind: "passt", socket: "", mac: "" }, ipParameter: "" };
    },
    alive: async () => {
      note("alive");
      return true;
    },
    detach: async () => note("detach"),
    setEgress: async () => note("setEgress"),
    egress: async () => {
      note("egress");
      return null;
    },
    reconcile: async (held) => note(`reconcile ${held.length}`),
    [Symbol.asyncDispose]: async () => note("dispose"),
    ...(mode === "slot" ? { onRefusal: () => () => note("end") } : {}),
  };
}

const record = (mode: "user" | "slot"): AttachmentRecord => ({ mode, endpoint: "", processes: [] });

test("new VMs get the chosen network, old ones the one that attached them", async () => {
  const calls: string[] = [];
  const both = new ByRecord(network("user", calls), network("slot", calls));
  expect([both.mode, both.defaultEgress.mode]).toEqual(["user", "open"]);
  both.mustPolice(both.defaultEgress);
  await both.attach({} as never, new AbortController().signal);
  await both.detach(record("slot"));
  await both.alive(record("user"));
  await both.egress(record("slot"));
  await both.setEgress(record("user"), both.defaultEgress);
  await both.reconcile([record("slot"), record("slot"), record("user")]);
  both.onRefusal?.(() => {})();
  await both[Symbol.asyncDispose]();
  expect(calls).toEqual([
    ...["user mustPolice", "user attach", "slot detach", "user alive", "slot egress", "user setEgress"],
    ...["user reconcile 1", "slot reconcile 2", "slot end", "slot dispose", "user dispose"],
  ]);
});
