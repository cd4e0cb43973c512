import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");
const LIMIT_LINES = 400;

test("no source file is over 400 lines", async () => {
  const long: string[] = [];
  for (const file of new Bun.Glob("{src,agent,scripts,bench,test}/**/*.ts").scanSync(root)) {
    const lines = (await Bun.file(join(root, file)).text()).split("\n").length;
    if (lines > LIMIT_LINES) long.push(`${file}: ${lines}`);
  }
  expect(long).toEqual([]);
});

test("names are kebab-case", () => {
  const odd = [...new Bun.Glob("{src,agent,scripts,bench,test,docs}/**/*.{ts,md}").scanSync(root)].filter((file) =>
    file.split("/").some((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(part)),
  );
  expect(odd).toEqual([]);
});
