import { describe, expect, test } from "bun:test";
import { hostRules } from "../../../src/server/auth/hosts.ts";

const verdict = (check: () => void): string => {
  try {
    check();
    return "ok";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

describe("Host", () => {
  const table: [listen: string, host: string | null, accepted: boolean][] = [
    ["127.0.0.1", "127.0.0.1:7777", true],
    ["127.0.0.1", "localhost:1234", true],
    ["127.0.0.1", "LOCALHOST", true],
    ["127.0.0.1", "localhost.", true],
    ["127.0.0.1", "[::1]:7777", true],
    ["127.0.0.1", "api.example:7777", true],
    ["127.0.0.1", "evil.example", false],
    ["127.0.0.1", "localhost.evil.example", false],
    ["127.0.0.1", "192.0.2.5:7777", false],
    ["127.0.0.1", "user@localhost", false],
    ["127.0.0.1", "localhost/x", false],
    ["127.0.0.1", "", false],
    ["127.0.0.1", null, false],
    ["192.0.2.5", "192.0.2.5:7777", true],
    ["0.0.0.0", "192.0.2.5:7777", true],
    ["0.0.0.0", "[2001:db8::1]:7777", true],
    ["0.0.0.0", "evil.example", false],
  ];
  for (const [listen, host, accepted] of table)
    test(`${host} at ${listen}: ${accepted}`, () => {
      const { checkHost } = hostRules(listen, ["api.example"]);
      expect(verdict(() => checkHost(host))).toBe(accepted ? "ok" : "host_not_allowed");
    });
});

describe("Origin", () => {
  const table: [origin: string | null, accepted: boolean][] = [
    [null, true],
    ["http://127.0.0.1:7777", true], // our own
    ["https://api.example", true],
    ["http://api.example:8080", true],
    ["devtools://devtools", true],
    ["null", false],
    ["http://localhost:3000", false],
    ["http://127.0.0.1:3000", false],
    ["https://evil.example", false],
    ["https://api.example.evil.example", false],
    ["chrome-extension://abcdef", false],
    ["file://", false],
    ["", false],
  ];
  for (const [origin, accepted] of table)
    test(`${origin}: ${accepted}`, () => {
      const { checkOrigin } = hostRules("127.0.0.1", ["api.example"]);
      expect(verdict(() => checkOrigin(origin, "127.0.0.1:7777"))).toBe(accepted ? "ok" : "origin_not_allowed");
    });
});
