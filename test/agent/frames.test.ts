import { expect, test } from "bun:test";
import fc from "fast-check";
import { closeFrame, FrameTracker } from "../../agent/door/frames.ts";

const OPENED = Buffer.from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");

function frame(length: number, opcode = 1): Buffer {
  const header =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 0xff])
        : Buffer.from([
            0x80 | opcode,
            127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ]);
  return Buffer.concat([header, Buffer.alloc(length, 0x88)]); // a payload that looks like close frames
}

test("between two frames, and only there, one may be inserted: however the bytes are cut", () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 65_500, max: 66_000 })), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(), { maxLength: 30 }), (sizes, cuts) => {
      const parts = [OPENED, ...sizes.map((size) => frame(size))];
      const stream = Buffer.concat(parts);
      const boundaries = new Set<number>();
      let end = 0;
      for (const part of parts) boundaries.add((end += part.length));
      const points = [...new Set([...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort(
        (a, b) => a - b,
      );
      const tracker = new FrameTracker();
      let at = 0;
      for (const point of points) {
        tracker.push(stream.subarray(at, point));
        at = point;
        expect(tracker.mayInsert).toBe(boundaries.has(point));
      }
    }),
  );
});

test("after a close frame nothing may follow", () => {
  const tracker = new FrameTracker();
  tracker.push(OPENED);
  expect(tracker.mayInsert).toBe(true);
  tracker.push(closeFrame(1000, "bye"));
  expect(tracker.mayInsert).toBe(false);
});

test("a handshake that was refused never opens", () => {
  const tracker = new FrameTracker();
  tracker.push(Buffer.from("HTTP/1.1 404 Not Found\r\n\r\nno"));
  expect(tracker.mayInsert).toBe(false);
});

test("a close frame is a control frame: at most 125 bytes, code first, whole characters", () => {
  const frame = closeFrame(1012, "ü".repeat(200));
  expect(frame.length).toBeLessThanOrEqual(2 + 125);
  expect(frame[1]).toBe(frame.length - 2);
  expect(frame.readUInt16BE(2)).toBe(1012);
  expect(frame.toString("utf8", 4)).toMatch(/^ü+$/);
});
