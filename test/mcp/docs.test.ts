import { expect, test } from "bun:test";
import { join } from "node:path";
import { SNIPPETS } from "../../src/cli/mcp/snippets.ts";
import { toolsFor, TOOLS } from "../../src/tools/registry.ts";
import { TOOL_GROUPS } from "../../src/contract/index.ts";
import { KEY, startTestServer } from "../server/harness.ts";

const PAGE = join(import.meta.dir, "../../docs/mcp.md");
/** A line of a transcript as a pattern: `…` stands for anything. */
const pattern = (line: string) =>
  new RegExp(
    `^${line
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );

test("the transcripts of docs/mcp.md are what curl shows, in their order", async () => {
  await using server = startTestServer();
  server.engine.add("demo");
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", OVERHYPED_API_BASE: server.url, OVERHYPED_API_KEY: KEY };
  const transcripts = [...(await Bun.file(PAGE).text()).matchAll(/```console\n\$ ((?:.*\\\n)*.*)\n([\s\S]*?)```/g)];
  expect(transcripts.length).toBeGreaterThanOrEqual(4);
  for (const [, command = "", told = ""] of transcripts) {
    const child = Bun.spawn(["sh", "-c", command], { env, stdout: "pipe", stderr: "inherit" });
    const said = (await new Response(child.stdout).text()).split("\n").map((line) => line.trimEnd());
    expect(await child.exited).toBe(0);
    let at = 0;
    for (const line of told.trim().split("\n")) {
      const found = said.findIndex((candidate, index) => index >= at && pattern(line).test(candidate));
      expect(found === -1 ? `${line}\nis not in\n${said.slice(at).join("\n")}` : "found").toBe("found");
      at = found + 1;
    }
  }
});

test("the page names tools that are there, all groups, and the length of the default list", async () => {
  const page = await Bun.file(PAGE).text();
  const names = TOOLS.map(({ name }) => name);
  for (const [, name = ""] of page.matchAll(/`((?:vm|browser|page|profile|artifact|host|image)_[a-z_]+)`/g))
    expect(names).toContain(name);
  expect(page).toContain(TOOL_GROUPS.join(", "));
  expect(page).toContain(`The default list is ${toolsFor("admin", ["default"]).length} tools`);
});

test("the page has what `hype mcp config` prints, for every client", async () => {
  const page = await Bun.file(PAGE).text();
  const [, section = ""] = /## Clients\n([\s\S]*?)\n## /.exec(page) ?? [];
  const shown = [...section.matchAll(/### (.*)\n\n.*\n\n```\w+\n([\s\S]*?)\n```/g)].map(([, , text = ""]) => text);
  const url = "http://127.0.0.1:7777/mcp?client=NAME";
  const wanted = { vm: undefined, tools: undefined, program: "hype", url, api: undefined, env: {} };
  const plain = (text: string) => text.replace(/\s+/g, "");
  expect(shown.map(plain)).toEqual(Object.values(SNIPPETS).map(({ make }) => plain(make(wanted))));
});
