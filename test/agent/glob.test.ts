import { describe, expect, test } from "bun:test";
import { Glob } from "../../agent/browser/glob.ts";

describe.each<[string, Glob, string[], string[]]>([
  ["nothing", Glob.ofRequests(""), [""], ["a"]],
  ["a word", Glob.ofRequests("a.b"), ["a.b"], ["", "a", "axb", "a.bc", "xa.b"]],
  ["*", Glob.ofRequests("*"), ["", "/", "a/b\nc"], []],
  ["a*", Glob.ofRequests("a*"), ["a", "a/b"], ["", "ba"]],
  ["*a", Glob.ofRequests("*a"), ["a", "bbaba"], ["ab"]],
  ["*ab*abc", Glob.ofRequests("*ab*abc"), ["ababc", "ababababc"], ["abc", "ababcd"]],
  ["a**b", Glob.ofRequests("a**b"), ["ab", "a/b"], ["a"]],
  ["a?c", Glob.ofRequests("a?c"), ["abc", "a/c"], ["ac", "abbc"]],
  ["*?", Glob.ofRequests("*?"), ["a", "ab"], [""]],
  ["\\* and \\?", Glob.ofRequests("a\\*\\?\\\\"), ["a*?\\"], ["ab?\\", "a*b\\"]],
  ["a backslash at the end", Glob.ofRequests("a\\"), ["a\\"], ["a"]],
  ["* within a part", Glob.ofAddresses("a/*/b"), ["a/x/b", "a//b"], ["a/x/y/b"]],
  ["** across parts", Glob.ofAddresses("**/b"), ["/b", "a/x/b"], ["b", "a/bc"]],
  ["*** is both", Glob.ofAddresses("a***b"), ["ab", "a/x/b"], ["a"]],
  ["a within-part star after one across", Glob.ofAddresses("**x*"), ["a/x", "x/xa"], ["x/a"]],
  ["no escapes in addresses", Glob.ofAddresses("a\\b?"), ["a\\bc"], ["ab?"]],
])("%s", (_, glob, good, bad) => {
  test.each(good.length > 0 ? good : ["*"])("matches %p", (text) => expect(glob.matches(text)).toBe(true));
  if (bad.length > 0) test.each(bad)("does not match %p", (text) => expect(glob.matches(text)).toBe(false));
});

test("says what stands between the stars, escapes taken away", () => {
  expect(Glob.ofRequests("wss://*.a\\?b**\\\\*").literals).toEqual(["wss://", ".a?b", "\\", ""]);
});

test("agrees with the regular expression that says the same, over all short texts", () => {
  const alphabet = ["a", "/", "*", "?"];
  const words = (of: string[], length: number): string[] =>
    length === 0 ? [""] : words(of, length - 1).flatMap((word) => [word, ...of.map((sign) => word + sign)]);
  const texts = [...new Set(words(["a", "/"], 4))];
  for (const pattern of new Set(words(alphabet, 4))) {
    const requests = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
    const parts = pattern.replaceAll(/\*\*|\*|\?/g, (sign) => ({ "**": ".*", "*": "[^/]*" })[sign] ?? ".");
    const addresses = new RegExp(`^${parts}$`, "s");
    for (const text of texts) {
      expect([pattern, text, Glob.ofRequests(pattern).matches(text)]).toEqual([pattern, text, requests.test(text)]);
      expect([pattern, text, Glob.ofAddresses(pattern).matches(text)]).toEqual([pattern, text, addresses.test(text)]);
    }
  }
});

// With backtracking each star multiplies the time by the length: this one would take longer than the universe has been there.
test("an address that a page made for it costs no more than any other", () => {
  const hostile = "a".repeat(100_000);
  for (const glob of [
    Glob.ofRequests(`${"*a".repeat(40)}b`),
    Glob.ofAddresses(`${"**a".repeat(20)}${"*a".repeat(20)}b`),
  ])
    expect(glob.matches(hostile)).toBe(false);
});
