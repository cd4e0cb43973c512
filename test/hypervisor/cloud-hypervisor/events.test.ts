import { expect, test } from "bun:test";
import { appendFileSync, linkSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { EventParser, EventTail } from "../../../src/hypervisor/cloud-hypervisor/events.ts";
import { type ChEvent, FILE_LIMIT_BYTES, meaningOf } from "../../../src/hypervisor/cloud-hypervisor/facts.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

/** As Cloud Hypervisor writes it. */
const text = (source: string, event: string, properties: Record<string, string> | null = null): string =>
  `${JSON.stringify({ timestamp: { secs: 1, nanos: 2 }, source, event, properties }, null, 2)}\n\n`;
const bytes = (written: string) => new TextEncoder().encode(written);
const names = (events: ChEvent[]) => events.map(({ source, event }) => `${source}/${event}`);

/** Follows a file and lets a test wait for events. */
function follow(path: string) {
  const seen: string[] = [];
  let waiting: { count: number; resolve: () => void } | null = null;
  let full = 0;
  const tail = new EventTail(
    path,
    ({ source, event }) => {
      seen.push(`${source}/${event}`);
      if (waiting && seen.length >= waiting.count) waiting.resolve();
    },
    () => full++,
  );
  tail.follow();
  return {
    seen,
    tail,
    full: () => full,
    reaches: (count: number) =>
      new Promise<void>((resolve) => (seen.length >= count ? resolve() : (waiting = { count, resolve }))),
    [Symbol.dispose]: () => tail[Symbol.dispose](),
  };
}

test("events cut anywhere, also within a character, are whole again", () => {
  const all = bytes(
    text("vm", "booting") + text("virtio-device", "activated", { id: "nétwörk\n\nx" }) + text("vm", "booted"),
  );
  for (const size of [1, 2, 3, 7, 64, 1000]) {
    const parser = new EventParser();
    const events: ChEvent[] = [];
    for (let at = 0; at < all.length; at += size) events.push(...parser.push(all.subarray(at, at + size)));
    expect(names(events)).toEqual(["vm/booting", "virtio-device/activated", "vm/booted"]);
    expect(events[1]?.properties).toEqual({ id: "nétwörk\n\nx" });
  }
});

test.each([
  ["no JSON", "hello\n\n"],
  ["JSON that is no event", '{"source": 5}\n\n'],
  ["a hole, as a sparse file has it", `${"\0".repeat(100)}\n\n`],
  ["a piece without end", `${"x".repeat(200_000)}`],
])("what is no event is passed over: %s", (_name, junk) => {
  const parser = new EventParser();
  expect(parser.push(bytes(junk))).toEqual([]);
  // What follows junk without an end is lost with it up to the next empty line.
  parser.push(bytes("\n\n"));
  expect(names(parser.push(bytes(text("vm", "booted"))))).toEqual(["vm/booted"]);
});

test.each([
  ["vm", "rebooting", "reset"],
  ["vm", "rebooted", "reset"],
  ["guest", "panic", "panic"],
  ["vm", "shutdown", "off"],
  ["vmm", "shutdown", null],
  ["vm", "booted", null],
  ["virtio-device", "reset", null],
] as const)("%s/%s means %p", (source, event, meaning) => {
  expect(meaningOf({ source, event })).toBe(meaning);
});

test("what was written before and while it is followed is seen, in order, also through another name of the file", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("events");
  writeFileSync(path, text("vmm", "starting") + text("vm", "booting").slice(0, 30));
  linkSync(path, directory.join("other"));
  using following = follow(path);
  expect(following.seen).toEqual(["vmm/starting"]);
  appendFileSync(directory.join("other"), text("vm", "booting").slice(30) + text("vm", "booted"));
  await following.reaches(3);
  expect(following.seen).toEqual(["vmm/starting", "vm/booting", "vm/booted"]);
});

test("the file does not grow without limit, and no event is lost when it is cut", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("events");
  writeFileSync(path, "");
  using following = follow(path);
  const burst = text("vm", "pausing") + text("vm", "resumed");
  const bursts = 200;
  for (let round = 1; round <= 100; round++) {
    appendFileSync(path, burst.repeat(bursts));
    await following.reaches(round * bursts * 2);
  }
  following.tail.drain();
  expect(following.seen).toHaveLength(100 * bursts * 2);
  expect(burst.length * bursts * 100).toBeGreaterThan(3 * 1_048_576);
  expect(statSync(path).size).toBeLessThan(2 * 1_048_576);
});

test("a full file is said: events may be missing", () => {
  using directory = temporaryDirectory();
  const path = directory.join("events");
  writeFileSync(path, text("vm", "booted"));
  truncateSync(path, FILE_LIMIT_BYTES); // sparse
  using following = follow(path);
  expect(following.seen).toEqual(["vm/booted"]);
  expect(following.full()).toBe(1);
});

test("after it is let go of, nothing is heard any more", () => {
  using directory = temporaryDirectory();
  const path = directory.join("events");
  writeFileSync(path, "");
  const following = follow(path);
  following.tail[Symbol.dispose]();
  appendFileSync(path, text("vm", "rebooting"));
  following.tail.drain();
  following.tail[Symbol.dispose]();
  expect(following.seen).toEqual([]);
});
