import { afterEach, expect, test } from "bun:test";
import type { EgressRefusal } from "../../../src/contract/index.ts";
import { RefusalWatch } from "../../../src/network/slot/refusal-watch.ts";

const refusal = (address: string, packets: number): EgressRefusal => ({ protocol: "tcp", address, port: 80, packets });

let watch: RefusalWatch | null = null;
afterEach(() => watch?.stop());

/** A watch over slots whose counts are given look by look; the last look repeats. Resolves after as many looks as there are answers, and one more. */
async function toldOf(
  answers: Record<number, (EgressRefusal[] | Error)[]>,
  prepare: (made: RefusalWatch) => void = () => {},
): Promise<{ told: string[]; order: number[] }> {
  const slots = Object.keys(answers).map(Number);
  const looks = new Map<number, number>();
  const order: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: string[] = [];
  watch = new RefusalWatch(
    () => slots,
    { slotMs: 0, anyMs: 1 },
    async (slot) => {
      order.push(slot);
      const look = looks.get(slot) ?? 0;
      looks.set(slot, look + 1);
      if (slots.every((one) => (looks.get(one) ?? 0) > answers[one]!.length)) resolve();
      const answer = answers[slot]![Math.min(look, answers[slot]!.length - 1)]!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  );
  prepare(watch);
  watch.listen((slot, found) => told.push(...found.map(({ address, packets }) => `${slot}: ${address} ${packets}`)));
  await promise;
  return { told, order };
}

test("each refusal is told once, with what came since", async () => {
  const { told } = await toldOf({
    2: [
      [refusal("a", 1)],
      [refusal("a", 1)],
      [refusal("a", 4), refusal("b", 2)],
      [refusal("b", 2)],
      [refusal("b", 2), refusal("a", 1)],
    ],
  });
  // The last: forgotten after ten quiet minutes, and refused again.
  expect(told).toEqual(["2: a 1", "2: a 3", "2: b 2", "2: a 1"]);
});

test("what an earlier server has told is not told again", async () => {
  const { told } = await toldOf({ 2: [[refusal("a", 7)], [refusal("a", 9)]] }, (made) => made.skipPast(2));
  expect(told).toEqual(["2: a 2"]);
});

test("slots are looked at in turn, and one that is gone harms nothing", async () => {
  const { told, order } = await toldOf({ 2: [new Error("gone")], 3: [[refusal("a", 1)]], 4: [[]] });
  expect(told).toEqual(["3: a 1"]);
  expect(order.slice(0, 6)).toEqual([2, 3, 4, 2, 3, 4]);
});
