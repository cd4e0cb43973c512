import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SealedHome } from "../lib/hype.ts";

const root = join(import.meta.dir, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const block = (language: string, after: string): string => {
  const from = readme.indexOf(after);
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readme.slice(from))?.[1] ?? "";
};

/** What the README tells people to type, typed. The one change: machines that test this have no internet, so the page is a data: URL. */
describe("the README's commands", () => {
  let home: SealedHome;

  beforeAll(async () => {
    home = new SealedHome();
    await home.serve();
  }, 60_000);
  afterAll(() => home[Symbol.asyncDispose](), 60_000);

  test("run as they stand", async () => {
    const commands = block("sh", "## Use it")
      .split("\n")
      .map((line) => line.replace(/#.*/, "").trim())
      .filter((line) => line.startsWith("hype ") && !/^hype (serve|image build)/.test(line));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const command of commands) {
      if (command.includes("delete")) await playwright();
      const args = [
        ...command.replace("https://example.com", "data:text/html,<title>Example</title>").matchAll(/'([^']*)'|(\S+)/g),
      ].map((match) => match[1] ?? match[2] ?? "");
      await home.ok(args.slice(1));
    }
    expect(statSync(join(home.path, "page.png")).size).toBeGreaterThan(100);
  }, 180_000);

  /** The example under "Playwright", unmodified, by Node as a user would. It lies in dist/ so that it finds playwright-core. */
  async function playwright(): Promise<void> {
    const directory = mkdtempSync(join(root, "dist", "readme-"));
    try {
      writeFileSync(join(directory, "example.mjs"), block("js", "## Playwright"));
      const child = Bun.spawn(["node", join(directory, "example.mjs")], {
        env: { ...process.env, CDP_URL: (await home.ok(["cdp", "demo"])).trim() },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "Hello from a microVM\n", stderr: "" });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
});
