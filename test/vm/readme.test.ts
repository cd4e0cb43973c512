import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SealedHome } from "../lib/hype.ts";

const root = join(import.meta.dir, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const gettingStarted = readFileSync(join(root, "docs", "getting-started.md"), "utf8");

/** The `hype` lines of shell blocks, as argument lists. Machines that test this have no internet, so the page is a data: URL. */
const commandsIn = (text: string): string[][] =>
  [...text.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap((match) => (match[1] ?? "").split("\n"))
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line.startsWith("hype "))
    .map((line) => line.replace("https://example.com", "data:text/html,<title>Example</title>"))
    .map((line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "").slice(1));

/** Made by the check already, or running until somebody ends them: these have tests of their own. */
const isEndless = (args: string[]): boolean =>
  /^(serve|image build|vms watch|vms logs \S+ -f|doctor)/.test(args.join(" "));
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
    const commands = commandsIn(readme.slice(readme.indexOf("## Use it"))).filter((args) => !isEndless(args));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const args of commands) {
      if (args.includes("delete")) await playwright();
      await home.ok(args);
    }
    expect(statSync(join(home.path, "page.png")).size).toBeGreaterThan(100);
  }, 180_000);

  test("and so do those of getting-started", async () => {
    const commands = commandsIn(gettingStarted).filter((args) => !isEndless(args));
    expect(commands.length).toBeGreaterThanOrEqual(12);
    for (const args of commands) await home.ok(args);
  }, 240_000);

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
