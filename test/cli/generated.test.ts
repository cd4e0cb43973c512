import { expect, test } from "bun:test";
import { join } from "node:path";
import { renderDocs } from "../../scripts/generate-docs.ts";
import { renderNotices } from "../../scripts/generate-notices.ts";
import { hype } from "./harness.ts";

const root = join(import.meta.dir, "../..");

test("generated pages say what the code says; else run `bun scripts/generate-docs.ts`", async () => {
  for (const [name, text] of Object.entries(await renderDocs()))
    expect(await Bun.file(join(root, "docs", name)).text(), name).toBe(text);
});

test("the notices name what is installed; else run `bun scripts/generate-notices.ts`", async () => {
  expect(await Bun.file(join(root, "THIRD_PARTY_NOTICES.md")).text()).toBe(await renderNotices());
});

test("hype licenses prints our licence, Bun's and that of every runtime dependency", async () => {
  const { stdout } = await hype(["licenses"]);
  expect(stdout).toContain("Apache License");
  expect(stdout).toContain("JavaScriptCore");
  const { dependencies } = await Bun.file(join(root, "package.json")).json();
  for (const name of Object.keys(dependencies)) expect(stdout).toContain(`## ${name} ${dependencies[name]}`);
});
