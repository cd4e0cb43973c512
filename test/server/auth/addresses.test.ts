import { describe, expect, test } from "bun:test";
import { addressMatcher, callerAddress, rateLimitBucket } from "../../../src/server/auth/addresses.ts";

describe("addressMatcher", () => {
  const table: [cidrs: string[], address: string, expected: boolean][] = [
    [["10.0.0.0/8"], "10.1.2.3", true],
    [["10.0.0.0/8"], "11.0.0.1", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["10.0.0.0/8"], "::ffff:0a01:0203", true],
    [["::ffff:10.0.0.0/104"], "10.1.2.3", true],
    [["::ffff:10.0.0.0/104"], "11.1.2.3", false],
    [["fd00::/8"], "fd12::1", true],
    [["fd00::/8"], "fe80::1%eth0", false],
    [["fe80::/10"], "fe80::1%eth0", true],
    [["::/0"], "10.1.2.3", false],
    [["0.0.0.0/0"], "::1", false],
    [["127.0.0.1/32"], "127.0.0.1", true],
    [["127.0.0.1/32"], "127.0.0.2", false],
    [["0.0.0.0/0"], "", false],
    [["0.0.0.0/0"], "localhost", false],
    [["0.0.0.0/0"], "10.0.0.1, 10.0.0.2", false],
    [[], "10.0.0.1", false],
  ];
  for (const [cidrs, address, expected] of table)
    test(`${address || "(empty)"} in ${cidrs.join(",") || "(nothing)"}: ${expected}`, () => {
      expect(addressMatcher(cidrs)(address)).toBe(expected);
    });
});

describe("callerAddress", () => {
  const isProxy = addressMatcher(["10.0.0.0/8"]);
  const table: [peer: string | null, forwarded: string | null, expected: string | null][] = [
    ["192.0.2.1", null, "192.0.2.1"],
    ["::ffff:192.0.2.1", null, "192.0.2.1"],
    ["192.0.2.1", "127.0.0.1", "192.0.2.1"], // not a proxy: what it says is not believed
    ["10.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"], // the left part was written by the caller
    ["10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"],
    ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", "unknown", null],
    ["10.0.0.1", "", null],
    [null, "198.51.100.7", null],
    ["nonsense", null, null],
  ];
  for (const [peer, forwarded, expected] of table)
    test(`${peer} with ${forwarded}: ${expected}`, () => {
      expect(callerAddress(peer, forwarded, isProxy)).toBe(expected);
    });
});

test("failures of one IPv6 subscriber are counted together", () => {
  expect(rateLimitBucket("2001:db8:1:2::1")).toBe(rateLimitBucket("2001:db8:1:2:ffff::9"));
  expect(rateLimitBucket("2001:db8:1:2::1")).not.toBe(rateLimitBucket("2001:db8:1:3::1"));
  expect(rateLimitBucket("192.0.2.1")).not.toBe(rateLimitBucket("192.0.2.2"));
});
