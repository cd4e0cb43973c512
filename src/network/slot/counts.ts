import type { EgressRefusal } from "../../contract/index.ts";
import { INSIDE, type EgressReport } from "../network.ts";
import { nftInSlot } from "./build.ts";
import { DNS_PORT } from "./identity.ts";

type Counter = { name: string; packets: number; bytes: number };
type Element = { elem?: { val: { concat: (string | number)[] }; counter?: { packets: number } } };
type Listing = { nftables: { counter?: Counter; set?: { name: string; elem?: Element[] } }[] };

/** What a slot's guest sent and was refused since the slot was built. @throws HypeError network_failed */
export async function readCounts(slot: number): Promise<EgressReport> {
  const [found, refusals] = await Promise.all([listing(slot, "counters"), readRefusals(slot)]);
  const counter = (name: string) => {
    const { packets = 0, bytes = 0 } = found.find((entry) => entry.counter?.name === name)?.counter ?? {};
    return { packets, bytes };
  };
  return { allowed: counter("passed"), refused: counter("refused"), refusals };
}

/** Destinations refused lately, those with most packets first. One process. @throws HypeError network_failed */
export async function readRefusals(slot: number): Promise<EgressRefusal[]> {
  const found = await listing(slot, "sets");
  return found
    .flatMap(({ set }) => set?.elem ?? [])
    .flatMap(({ elem }) => (elem ? [toRefusal(elem.val.concat, elem.counter?.packets ?? 0)] : []))
    .toSorted((a, b) => b.packets - a.packets);
}

/** Of one kind only: nft 1.0.6 mixes up its own memory when asked for several at once. */
async function listing(slot: number, kind: "counters" | "sets"): Promise<Listing["nftables"]> {
  const text = await nftInSlot(slot, ["-j", "list", kind, "table", "inet", "overhyped"], "");
  return (JSON.parse(text) as Listing).nftables;
}

/** The guest's own view: what it calls port 53 of its gateway was translated before it was refused. */
function toRefusal([address, protocol, port]: (string | number)[], packets: number): EgressRefusal {
  const isDns = address === INSIDE.dns && port === DNS_PORT;
  return {
    protocol: String(protocol),
    address: String(address),
    port: isDns ? 53 : port === undefined ? null : Number(port),
    packets,
  };
}
