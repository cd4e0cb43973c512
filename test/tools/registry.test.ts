import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { encode } from "gpt-tokenizer";
import { listedTool } from "../../src/mcp/answer.ts";
import { nearMisses } from "../../src/tools/near-miss.ts";
import { isToolSelection } from "../../src/contract/index.ts";
import { findTool, likelyTools, takesVm, TOOLS, toolsFor } from "../../src/tools/registry.ts";
import { inputSchema, outputSchema } from "../../src/tools/schema.ts";

const names = (tools: readonly { name: string }[]) => tools.map(({ name }) => name);
const tokensOf = (tools: typeof TOOLS) => encode(JSON.stringify(tools.map((tool) => listedTool(tool, false)))).length;

describe("the list a model pays for", () => {
  test("is at most 30 tools and 6,000 tokens by default", () => {
    const listed = toolsFor("admin", ["default"]);
    expect(listed.length).toBeLessThanOrEqual(30);
    expect(tokensOf(listed)).toBeLessThanOrEqual(6_000);
    expect(tokensOf(listed)).toBeGreaterThan(1_000); // it is counted at all
  });

  test("has every tool once, in one order, under a name a client takes", () => {
    expect(new Set(names(TOOLS)).size).toBe(TOOLS.length);
    expect(names(toolsFor("admin", ["all"]))).toEqual(names(TOOLS));
    for (const { name, title, description } of TOOLS) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/);
      expect(title.length).toBeGreaterThan(2);
      expect(description, name).toEndWith(".");
      expect(description.length, name).toBeLessThan(250);
    }
  });

  test("groups are parts of it", () => {
    expect(names(toolsFor("admin", ["vms"]))).toContain("vm_pause");
    expect(names(toolsFor("admin", ["vms"]))).not.toContain("browser_click");
    expect(names(toolsFor("admin", ["default", "network"]))).toEqual(
      expect.arrayContaining(["vm_list", "browser_route"]),
    );
    expect(isToolSelection(["default", "files"])).toBe(true);
    expect(isToolSelection(["nonsense"])).toBe(false);
    expect(isToolSelection([])).toBe(false);
  });
});

test("a key of scope read has the tools that look at machines, and none that looks into a browser", () => {
  expect(names(toolsFor("read", ["all"]))).toEqual([
    ...["vm_list", "vm_get", "vm_wait", "vm_control", "host_status", "image_list", "vm_metrics", "vm_proxy_get"],
  ]);
  expect(findTool("browser_snapshot", "read")).toBeUndefined();
  expect(findTool("browser_snapshot", "operate")?.name).toBe("browser_snapshot");
  expect(toolsFor("operate", ["all"]).length).toBe(TOOLS.length);
});

test("what ends something for good asks, and nothing else does", () => {
  const ending = TOOLS.filter(({ effect }) => effect === "destroy");
  expect(names(ending)).toEqual([
    ...["vm_stop", "vm_restart", "vm_delete", "browser_clear_state", "profile_delete", "artifact_delete"],
  ]);
  for (const tool of TOOLS) {
    const isEnding = ending.includes(tool);
    expect(tool.question !== undefined, tool.name).toBe(isEnding);
    expect("confirm" in (inputSchema(tool, false).properties ?? {}), tool.name).toBe(isEnding);
  }
});

test("what hands a browser to a person promises the address for them", () => {
  const handing = TOOLS.filter(({ handsOver }) => handsOver);
  expect(names(handing)).toEqual(["browser_take_over"]);
  for (const tool of handing) {
    expect(takesVm(tool)).toBe(true);
    expect(Object.keys(outputSchema(tool)?.properties ?? {})).toEqual(expect.arrayContaining(["url", "expires_at"]));
  }
});

test("schemas are plain objects, and lose the VM where it is preset", () => {
  for (const tool of TOOLS) {
    const schema = inputSchema(tool, false);
    expect(schema.type, tool.name).toBe("object");
    expect(JSON.stringify(schema)).not.toContain("$schema");
    expect("vm" in (schema.properties ?? {}), tool.name).toBe(takesVm(tool));
    expect(inputSchema(tool, true).properties ?? {}).not.toHaveProperty("vm");
    expect(inputSchema(tool, true).required ?? []).not.toContain("vm");
  }
});

test.each([
  ["vm_delet", "vm_delete"],
  ["create_vm", "vm_create"],
  ["click", "browser_click"],
  ["browser_screenshot", "browser_take_screenshot"],
  ["Browser-Navigate", "browser_navigate"],
])("%s is taken for %s", (wanted, meant) => {
  expect(likelyTools(wanted, "admin")).toContain(meant);
});

test("names that are like nothing have no near miss, and none of what the key may not use", () => {
  expect(nearMisses("xyzzy_plugh_frob", names(TOOLS))).toEqual([]);
  expect(likelyTools("vm_delet", "read")).not.toContain("vm_delete");
});

test("the registry speaks no protocol", async () => {
  for (const file of new Bun.Glob("src/tools/*.ts").scanSync(join(import.meta.dir, "..", "..")))
    expect(await Bun.file(join(import.meta.dir, "..", "..", file)).text(), file).not.toMatch(
      /modelcontextprotocol|ag-ui|\bMCP\b|AG-UI/i,
    );
});
