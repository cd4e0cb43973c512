/**
 * The wire between a slot's tap and a guest's network: opens both taps as a VMM would and carries frames between them. Runs as root.
 * argv: the slot's namespace, then that of the guest, in which it makes the interface eth0. Writes `ready` when frames flow.
 * Standard input: a line of hex is one frame, sent into the slot as the guest's own.
 */
import { ptr } from "bun:ffi";
import { enterNamespace, libc, openTap } from "./tap.ts";

const POLLIN = 1;

function tapIn(namespace: string, name: string): number {
  enterNamespace(namespace);
  const tap = openTap(name);
  if (tap === null) throw new Error(`cannot open ${name} in ${namespace}`);
  return tap;
}

const [, , slot = "", guest = ""] = process.argv;
const outside = tapIn(slot, "tap0");
const inside = tapIn(guest, "eth0");
console.log("ready");

const frame = Buffer.alloc(70_000);
/** Carries one frame. @returns false at the end of the input */
function carry(from: number, to: number): boolean {
  const bytes = Number(libc.read(from, ptr(frame), frame.length));
  if (bytes > 0) libc.write(to, ptr(frame), bytes);
  return bytes > 0;
}

let held = "";
const waiting = Buffer.alloc(24);
[outside, inside, 0].forEach((file, index) => {
  waiting.writeInt32LE(file, index * 8);
  waiting.writeInt16LE(POLLIN, index * 8 + 4);
});
for (;;) {
  libc.poll(ptr(waiting), 3, -1);
  if (waiting.readInt16LE(6) !== 0) carry(outside, inside);
  if (waiting.readInt16LE(14) !== 0) carry(inside, outside);
  if (waiting.readInt16LE(22) === 0) continue;
  const bytes = Number(libc.read(0, ptr(frame), frame.length));
  if (bytes <= 0) process.exit(0);
  const lines = (held + frame.toString("latin1", 0, bytes)).split("\n");
  held = lines.pop() ?? "";
  for (const line of lines) {
    const raw = Buffer.from(line, "hex");
    libc.write(outside, ptr(raw), raw.length);
  }
}
