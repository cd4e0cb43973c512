import { describe, expect, test } from "bun:test";
import { pageUrl, quantity, splitWords } from "../../src/agui/words.ts";
import { HypeError } from "../../src/contract/index.ts";

describe("words of a line", () => {
  for (const [line, words] of [
    ["", []],
    ["  a  b ", ["a", "b"]],
    [`a "b c" 'd "e'`, ["a", "b c", 'd "e']],
    [String.raw`a\ b "c\"d" "e\f" 'g\h'`, ["a b", 'c"d', "e\\f", "g\\h"]],
    [`--label team="web shop"`, ["--label", "team=web shop"]],
    [`"" ''`, ["", ""]],
    ["a\tb\nc", ["a", "b", "c"]],
    ["a\\", ["a\\"]],
  ] as const)
    test(JSON.stringify(line), () => expect(splitWords(line)).toEqual([...words]));

  test("an open quote is refused", () => {
    expect(() => splitWords(`a "b`)).toThrow(HypeError);
  });
});

describe("quantities", () => {
  for (const [field, text, number] of [
    ["memory_mb", "2G", 2048],
    ["memory_mb", "1024", 1024],
    ["ttl_seconds", "1h30m", 5400],
    ["timeout_ms", "5s", 5000],
    ["timeout_ms", "250ms", 250],
    ["index", "-1", -1],
  ] as const)
    test(`${field} ${text}`, () => expect(quantity(field, text)).toBe(number));
  for (const [field, text] of [
    ["index", "2G"],
    ["memory_mb", "lots"],
    ["ttl_seconds", "1h!"],
    ["ttl_seconds", ""],
  ] as const)
    test(`${field} ${JSON.stringify(text)} is refused`, () => expect(() => quantity(field, text)).toThrow(HypeError));
});

describe("addresses as people type them", () => {
  for (const [text, url] of [
    ["example", "https://example.com"],
    ["example.org/a", "https://example.org/a"],
    ["localhost:80", "http://localhost:80"],
    ["10.0.0.1/x", "http://10.0.0.1/x"],
    ["http://a", "http://a"],
    ["about:blank", "about:blank"],
  ] as const)
    test(text, () => expect(pageUrl(text)).toBe(url));
});
