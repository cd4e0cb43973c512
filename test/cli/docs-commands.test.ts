import { expect, test } from "bun:test";
import { join } from "node:path";
import type { CliContext } from "../../src/cli/context.ts";
import { createCli } from "../../src/cli/definitions.ts";

const root = join(import.meta.dir, "../..");
const pages = ["README.md", ...[...new Bun.Glob("docs/*.md").scanSync(root)].toSorted()];

/** Words of a shell line as far as docs use them: quotes, no expansions; comments, pipes and what follows them cut off. */
function shellWords(line: string): string[] {
  const command = line.replace(/\s+#.*$/, "").split(/\s(?:[;|<>]|&&)\s?/)[0] ?? "";
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}

/** Lines of `sh` blocks that call hype. */
const commandsOf = (text: string): string[] =>
  [...text.matchAll(/^```(?:sh|bash)\n([\s\S]*?)^```/gm)]
    .flatMap(([, block]) => (block ?? "").split("\n"))
    .map((line) => line.trim().replace(/^\$ /, ""))
    .filter((line) => line.startsWith("hype ") && !line.includes("$(") && !line.includes("["));

test.each(pages)("every hype command in %s is one", async (page) => {
  const cli = createCli();
  for (const line of commandsOf(await Bun.file(join(root, page)).text())) {
    const [, ...argv] = shellWords(line);
    expect(() => cli.process(argv, {} as CliContext), `${page}: ${line}`).not.toThrow();
  }
});

test("the pages do name commands", async () => {
  const started = commandsOf(await Bun.file(join(root, "docs/getting-started.md")).text());
  expect(started.length).toBeGreaterThan(10);
  expect(shellWords(`hype eval demo 'document.title' | head`)).toEqual(["hype", "eval", "demo", "document.title"]);
});
