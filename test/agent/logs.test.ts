import { expect, test } from "bun:test";
import { rateLimited } from "../../agent/console.ts";
import { LogRing } from "../../agent/log-ring.ts";

test("a ring keeps the last lines and no more than its bytes", () => {
  const ring = new LogRing(20);
  for (let i = 0; i < 100; i++) ring.push(`line ${i}\n`);
  expect(ring.text()).toBe("line 98\nline 99\n");
  expect(ring.text(1)).toBe("line 99\n");
});

test("one endless line is cut, not kept", () => {
  const ring = new LogRing(10);
  ring.push("x".repeat(1000));
  expect(ring.text()).toBe(`${"x".repeat(10)}\n`);
});

test("a flood reaches the console in part, and the console says how much it missed", () => {
  const written: string[] = [];
  let now = 0;
  const write = rateLimited(
    (line) => written.push(line),
    () => now,
  );
  for (let i = 0; i < 100; i++) write(`${i}\n`);
  expect(written).toHaveLength(40);
  now = 10_000;
  write("later\n");
  expect(written.slice(40)).toEqual(["hype-agent: 60 log lines left out here, see the agent's log\n", "later\n"]);
});
