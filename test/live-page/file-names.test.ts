import { expect, test } from "bun:test";
import * as v from "valibot";
import { UploadName } from "../../src/contract/index.ts";
import { plainNames } from "../../src/live-page/file-names.ts";

test("every name is one the VM takes, and none stands for another", () => {
  const names = [
    "a.txt",
    "a.txt",
    "a (2).txt",
    "../../etc/passwd",
    "c:\\x",
    "",
    "..",
    "line\nbreak",
    "a\ud800b",
    "tar.gz",
    "tar.gz",
  ];
  const long = ["漢".repeat(200) + ".png", "漢".repeat(200) + ".png", "x".repeat(300), `.${"e".repeat(300)}`];
  const plain = plainNames([...names, ...long]);
  expect(plain.slice(0, 3)).toEqual(["a.txt", "a (2).txt", "a (2) (2).txt"]);
  expect(plain.slice(3, names.length)).toEqual([
    ".._.._etc_passwd",
    "c:_x",
    "file",
    "file (2)",
    "line_break",
    "a\ufffdb",
    "tar.gz",
    "tar (2).gz",
  ]);
  expect(new Set(plain).size).toBe(plain.length);
  for (const name of plain) expect(v.is(UploadName, name)).toBe(true);
  expect(plain.at(names.length)).toEndWith("漢.png");
  expect(plain.at(names.length + 1)).toEndWith("漢 (2).png");
});
