import { describe, expect, test } from "bun:test";
import { commandOf, parseCommand, SYNONYMS, type Surroundings } from "../../src/agui/commands.ts";
import { phraseCommands } from "../../src/agui/phrases.ts";
import { TOOLS } from "../../src/tools/registry.ts";

const around = (more: Partial<Surroundings> = {}): Surroundings => ({
  tools: TOOLS,
  preset: null,
  vms: ["web"],
  running: ["web"],
  ...more,
});
const two = { vms: ["web", "other"], running: ["web", "other"] };

describe("a command is what the CLI would take", () => {
  const table: [line: string, tool: string, given: object, around?: Partial<Surroundings>][] = [
    ["/vms create web --cpu-cores 2", "vm_create", { name: "web", cpu_cores: 2 }],
    [
      "/vms create web --cpu=2 --memory 2G --ttl 1h --label a=b --label c=d",
      "vm_create",
      { name: "web", cpu_cores: 2, memory_mb: 2048, ttl_seconds: 3600, labels: { a: "b", c: "d" } },
    ],
    ["/vms create --no-wait job", "vm_create", { name: "job", wait: false }],
    ["/vm_create x", "vm_create", { name: "x" }],
    ["/vms list", "vm_list", {}],
    ["/vms stop web --force", "vm_stop", { vm: "web", force: true }],
    ["/vms delete other", "vm_delete", { vm: "other" }, two],
    ["/vms get", "vm_get", { vm: "web" }],
    ["/open example.com", "browser_navigate", { vm: "web", url: "https://example.com" }],
    ["/browser open web example.com", "browser_navigate", { vm: "web", url: "https://example.com" }],
    ["/browser open other example.com", "browser_navigate", { vm: "other", url: "https://example.com" }, two],
    ["/open example.com --vm other", "browser_navigate", { vm: "other", url: "https://example.com" }, two],
    ["/open example.com", "browser_navigate", { vm: "other", url: "https://example.com" }, { ...two, preset: "other" }],
    ["/click e7", "browser_click", { vm: "web", target: "e7" }],
    [
      "/browser click web 'text=Sign in' --double",
      "browser_click",
      { vm: "web", target: "text=Sign in", doubleClick: true },
    ],
    ["/browser type e3 hello world", "browser_type", { vm: "web", target: "e3", text: "hello world" }],
    ["/browser fill e3 'a b' --submit", "browser_type", { vm: "web", target: "e3", text: "a b", submit: true }],
    ["/press Enter", "browser_press_key", { vm: "web", key: "Enter" }],
    ["/eval 1 + 1", "browser_evaluate", { vm: "web", function: "1 + 1" }],
    ["/screenshot --full-page", "browser_take_screenshot", { vm: "web", fullPage: true }],
    ["/select e1 a b", "browser_select_option", { vm: "web", target: "e1", values: ["a", "b"] }],
    ["/wait --text Done --timeout 5s", "browser_wait_for", { vm: "web", text: "Done", timeout_ms: 5000 }],
    ["/status", "host_status", {}],
  ];
  for (const [line, tool, given, more] of table)
    test(line, () =>
      expect(parseCommand(line, around(more))).toEqual({ tool, arguments: given as Record<string, unknown> }),
    );

  const refused: [line: string, words: RegExp, around?: Partial<Surroundings>][] = [
    ["/vms craete web", /did you mean .*\/vms create/],
    ["/frobnicate", /no command \/frobnicate/],
    ["/vms create web --frobnicate 1", /has no --frobnicate/],
    ["/vms create web --cpu", /wants a value/],
    ["/vms create web --cpu two", /expected a number/],
    ["/vms get", /wants a VM: web, other/, two],
    ["/vms get", /there is none, \/vms create/, { vms: [], running: [] }],
    ['/open "example.com', /quote " is not closed/],
    ["/vms list --status running what else", /does not know what to do with/],
  ];
  for (const [line, words, more] of refused)
    test(`${line} is refused`, () =>
      expect(() => parseCommand(line, around(more))).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringMatching(words) }),
      ));

  test("every synonym names a tool; every tool can be named", () => {
    const names = TOOLS.map(({ name }) => name);
    expect(Object.values(SYNONYMS).filter((name) => !names.includes(name))).toEqual([]);
    for (const { name } of TOOLS) {
      const command = commandOf(name);
      let said: string;
      try {
        said = parseCommand(command, around()).tool;
      } catch (thrown) {
        said = (thrown as Error).message;
      }
      // One that wants more than its name still shows that it was understood.
      expect([name, said === name || said.startsWith(command)]).toEqual([name, true]);
    }
  });
});

describe("phrases", () => {
  for (const [said, commands] of [
    ["list vms", ["/vms list"]],
    ["Show me all the VMs!", ["/vms list"]],
    ["create a vm named web", ["/vms create web"]],
    ["start a new browser called shop-2", ["/vms create shop-2"]],
    ["delete the vm old", ["/vms delete old"]],
    ["stop web", ["/vms stop web"]],
    ["Open example", [`/open "example"`, "/screenshot"]],
    ["open https://Example.com/Path on web.", [`/open "https://Example.com/Path" --vm web`, "/screenshot --vm web"]],
    ["take a screenshot of web", ["/screenshot --vm web"]],
    ["what is on the page?", ["/read"]],
    ["open the pod bay doors", null],
    ["please be kind", null],
  ] as const)
    test(said, () => expect(phraseCommands(said)).toEqual(commands as string[] | null));
});
