import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { cleanFileName, FileName } from "../../src/contract/artifact.ts";
import { attachment } from "../../src/server/artifacts/attachment.ts";

describe("names others chose", () => {
  test.each<[given: string, kept: string]>([
    ["report.pdf", "report.pdf"],
    ["../../x", "x"],
    ["../..", "download"],
    ["..", "download"],
    [".", "download"],
    ["", "download"],
    ["/etc/passwd", "passwd"],
    ["C:\\Users\\me\\x.txt", "x.txt"],
    ["a/", "download"],
    [".bashrc", "bashrc"],
    ["-rf", "rf"],
    [" .- x", "x"],
    ["a\0b\x1b[31m\nc\x7f\x9b", "ab[31mc"],
    ["gpj.\u202eexe.txt", "gpj.exe.txt"],
    ["a\u2028b\u2029c", "abc"],
    ["漢字 – résumé 🎉.pdf", "漢字 – résumé 🎉.pdf"],
    ["\ud800lone", "\ufffdlone"],
    ["x ", "x"],
  ])("%j becomes %j", (given, kept) => expect(cleanFileName(given, "download")).toBe(kept));

  test("one of 300 characters is cut to 255 bytes and keeps its ending", () => {
    expect(cleanFileName(`${"a".repeat(300)}.pdf`, "x")).toBe(`${"a".repeat(251)}.pdf`);
    const emoji = cleanFileName(`${"🎉".repeat(300)}.tar`, "x");
    expect(emoji).toBe(`${"🎉".repeat(62)}.tar`);
    expect(cleanFileName(`${"x".repeat(50_000_000)}.pdf`, "x")).toBe(`${"x".repeat(251)}.pdf`);
    expect(cleanFileName(`a.${"b".repeat(300)}`, "x")).toHaveLength(255);
    expect(cleanFileName(`${"a".repeat(250)}${" ".repeat(10)}b`, "x")).toBe("a".repeat(250));
  });

  test("whatever comes, it is one file of one directory, and stays as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        const name = cleanFileName(text, "file");
        expect(name).not.toMatch(/[/\\\p{Cc}]/u);
        expect(name).not.toStartWith(".");
        expect(name).not.toBe("");
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(cleanFileName(name, "file")).toBe(name);
        expect(v.is(FileName, name)).toBe(true);
        expect(attachment(name)).toMatch(/^attachment; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["../x", "a/b", "a\\b", "", ".x", "-x", "a\nb", "x".repeat(256), "x "])(
    "a caller may not ask for %j",
    (name) => expect(v.is(FileName, name)).toBe(false),
  );
});
