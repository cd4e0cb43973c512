import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Day } from "./day.ts";

setDefaultTimeout(60_000);
const root = join(import.meta.dir, "../..");
const page = await Bun.file(join(root, "docs/playwright-and-puppeteer.md")).text();
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\n *\`\`\``, "gs"))].map(([, code]) => code!);

let day: Day;
beforeAll(async () => {
  day = await Day.begin();
}, 90_000);
afterAll(() => day?.[Symbol.asyncDispose]());

test.each(blocks("js").map((code, n) => [/from "([^"]+)"/.exec(code)![1]!, n, code] as const))(
  "the script for %s (%d) runs as it stands",
  async (_client, _n, code) => {
    const directory = mkdtempSync(join(tmpdir(), "hype-docs-"));
    try {
      symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
      const file = join(directory, "script.mjs");
      await Bun.write(file, code.replaceAll("https://example.com", day.site.origin));
      const child = Bun.spawn([process.execPath, file], {
        cwd: directory,
        env: { PATH: process.env.PATH ?? "", HOME: directory, CDP_URL: day.urls.ws_url },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [code_, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
      expect([code_, said]).toEqual([0, ""]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

test("settings are JSON, and there are scripts to run", () => {
  for (const text of blocks("json")) expect(() => JSON.parse(text)).not.toThrow();
  expect([blocks("js").length, blocks("json").length]).toEqual([4, 1]);
});
