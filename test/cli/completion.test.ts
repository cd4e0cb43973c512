import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { commandDefinitions } from "../../src/cli/definitions.ts";
import { completionScript } from "../../src/cli/completion/script.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const definitions = commandDefinitions();

/** What bash offers after a line, with a `hype` that knows the VMs web and worker. */
async function offered(line: string): Promise<string[]> {
  using directory = temporaryDirectory();
  const script = `${completionScript("bash", definitions)}
hype() { [ "$*" = "vms list -q" ] && printf 'web\\nworker\\n'; }
COMP_WORDS=(${line} "$1")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_hype
printf '%s\\n' "\${COMPREPLY[@]}"
`;
  const current = line.endsWith(" ") ? "" : (line.split(" ").pop() ?? "");
  const words = line.endsWith(" ") ? line : line.slice(0, line.length - current.length);
  await Bun.write(
    `${directory.path}/script`,
    script.replace(`COMP_WORDS=(${line} "$1")`, `COMP_WORDS=(${words} "$1")`),
  );
  const shell = Bun.spawn(["bash", "--norc", `${directory.path}/script`, current], {
    cwd: directory.path,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(shell.stdout).text(), new Response(shell.stderr).text()]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

describe("bash", () => {
  test.each([
    { line: "hype vm", words: ["vms"] },
    { line: "hype vms cr", words: ["create"] },
    { line: "hype vms get w", words: ["web", "worker"] },
    { line: "hype vms stop web wo", words: ["worker"] },
    { line: "hype --json vms get we", words: ["web"] },
    { line: "hype vms create --lab", words: ["--label"] },
    { line: "hype vms create w", words: [] },
    { line: "hype completion ", words: ["bash", "zsh", "fish", "--json"] },
    { line: "hype screenshot web --fu", words: ["--full-page"] },
    { line: "hype image ver", words: ["verify"] },
  ])("$line", async ({ line, words }) => {
    expect(await offered(line)).toEqual([...words]);
  });

  test("offers every first word", async () => {
    const first = new Set(definitions.map(({ path }) => path[0]));
    expect(new Set(await offered("hype "))).toEqual(first as Set<string>);
  });
});

test.each(["zsh", "fish"] as const)("%s knows every command and option", (shell) => {
  const script = completionScript(shell, definitions);
  expect(COMMANDS.filter(({ usage }) => usage)).toHaveLength(definitions.length); // the others are hidden
  for (const { path, options } of definitions) {
    for (const word of path) expect(script).toContain(word);
    for (const { names } of options)
      for (const name of names)
        expect(script).toContain(shell === "zsh" ? `'${name}:` : name.replace(/^--/, "-l ").replace(/^-(?!l )/, "-s "));
  }
  expect(script).toContain("hype vms list -q");
});
