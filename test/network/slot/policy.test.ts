import { expect, test } from "bun:test";
import fc from "fast-check";
import { type EgressPolicy, parseEgressTarget } from "../../../src/contract/index.ts";
import { policyRules } from "../../../src/network/slot/policy.ts";
import { slotRules } from "../../../src/network/slot/rules.ts";

const rules = (policy: Partial<EgressPolicy>) =>
  policyRules({ mode: "internet", allow: [], deny: [], ...policy }, ["192.168.127.0/24"]);
const at = (list: string[], part: string) => list.findIndex((rule) => rule.includes(part));

test("what no policy opens comes before deny, deny before allow, allow before the mode", () => {
  const list = rules({ allow: ["10.0.0.0/8"], deny: ["10.1.0.0/16"] });
  const order = ["192.168.127.0/24", "10.1.0.0/16", "{ 10.0.0.0/8 } goto passed", "169.254.0.0/16"].map((part) =>
    at(list, part),
  );
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order).not.toContain(-1);
  expect(list.at(-1)).toBe("goto passed");
});

test("mode none has neither names nor anything else", () => {
  const list = rules({ mode: "none" });
  expect(list.join("\n")).not.toContain("passed");
  expect(list.at(-1)).toBe("goto refused");
});

test("ports of one network that meet are one range, and networks of one length share a set", () => {
  const list = rules({
    deny: ["192.0.2.7:80-90", "192.0.2.7:85-100", "192.0.2.7:101", "192.0.2.9:443", "192.0.2.0/24:22"],
  });
  const sets = list.filter((rule) => rule.includes("th dport {") && rule.includes("ct original ip daddr ."));
  expect(sets.map((rule) => rule.match(/\{[^}]*\} goto/)?.[0])).toEqual(
    [
      "{ tcp, udp } ct direction original ct original ip daddr . th dport { 192.0.2.7/32 . 80-101, 192.0.2.9/32 . 443-443 } goto",
      "{ tcp, udp } ct direction original ct original ip daddr . th dport { 192.0.2.0/24 . 22-22 } goto",
    ].map((text) => text.replace(/^\{ tcp, udp \} .*? \{/, "{")),
  );
});

const octet = fc.integer({ min: 0, max: 255 });
const target = fc
  .tuple(
    octet,
    octet,
    octet,
    octet,
    fc.integer({ min: 8, max: 32 }),
    fc.option(fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.nat(50))),
  )
  .map(([a, b, c, d, prefix, ports]) => {
    const value =
      (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) -
      ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % 2 ** (32 - prefix));
    const address = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
    const last = ports ? Math.min(65_535, ports[0] + ports[1]) : 0;
    return `${address}/${prefix}${ports ? `:${ports[0]}-${last}` : ""}`;
  });

test("no set of pairs holds overlapping ones, whatever is asked", () => {
  fc.assert(
    fc.property(fc.array(target, { maxLength: 40 }), (deny) => {
      expect(deny.every((text) => parseEgressTarget(text) !== null)).toBe(true);
      for (const rule of rules({ deny }).filter((line) => line.includes("daddr . th dport"))) {
        const pairs = [...rule.matchAll(/([\d./]+) \. (\d+)-(\d+)/g)].map(([, network, first, last]) => ({
          network,
          first: Number(first),
          last: Number(last),
        }));
        for (const [index, one] of pairs.entries())
          for (const other of pairs.slice(index + 1))
            expect(one.network !== other.network || one.last < other.first || other.last < one.first).toBe(true);
      }
    }),
  );
});

test("a slot's rules carry its own address and drop by default", () => {
  const text = slotRules(
    7,
    { subnet: "192.168.127.0/24", hostIp: "192.168.127.1" },
    { mode: "internet", allow: [], deny: [] },
  );
  expect(text).toContain("snat ip to 192.168.127.7");
  expect(text.match(/policy drop/g)).toHaveLength(4);
  expect(text).not.toContain("undefined");
});
