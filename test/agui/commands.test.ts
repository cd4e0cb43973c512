import { describe, expect, test } from "bun:test";
import { CLI_COMMANDS, EVERYWHERE, SYNONYMS } from "../../src/agui/cli-commands.ts";
import { commandOf, parseCommand, type Surroundings } from "../../src/agui/commands.ts";
import { commandDefinitions, findCommand } from "../../src/cli/definitions.ts";
import { phraseCommands } from "../../src/agui/phrases.ts";
import { splitWords } from "../../src/agui/words.ts";
import { parsed } from "../../src/tools/parse.ts";
import { TOOLS } from "../../src/tools/registry.ts";

const around = (more: Partial<Surroundings> = {}): Surroundings => ({
  tools: TOOLS,
  preset: null,
  vms: ["web"],
  running: ["web"],
  ...more,
});
const demo = { vms: ["demo", "other"], running: ["demo", "other"] };
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
    ["/screenshot demo -o page.png", "browser_take_screenshot", { vm: "demo", type: "png" }, demo],
    [
      "/screenshot demo -o page.webp --full-page",
      "browser_take_screenshot",
      { vm: "demo", type: "webp", fullPage: true },
      demo,
    ],
    ["/vms list -q --label team=qa", "vm_list", { label: "team=qa" }],
    ["/vms logs demo -n 5", "vm_logs", { vm: "demo", tail: 5 }, demo],
    ["/tabs demo", "browser_tabs", { vm: "demo", action: "list" }, demo],
    ["/browser tabs new --url example.com", "browser_tabs", { vm: "web", action: "new", url: "https://example.com" }],
    ["/tab close demo 5F1C0D", "browser_tabs", { vm: "demo", tab: "5F1C0D", action: "close" }, demo],
    ["/downloads keep demo d1", "artifact_keep_download", { vm: "demo", id: "d1" }, demo],
    ["/wait demo --url '*/done'", "browser_wait_for", { vm: "demo", url: "*/done" }, demo],
    ["/press demo Control+A --on e3", "browser_press_key", { vm: "demo", key: "Control+A", target: "e3" }, demo],
    [
      "/check e12 --off",
      "browser_fill_form",
      { vm: "web", fields: [{ target: "e12", type: "checkbox", value: "false" }] },
    ],
    [
      "/live demo --for anna --ttl 1h --view-only",
      "vm_live_link",
      { vm: "demo", label: "anna", ttl_seconds: 3600, view_only: true },
      demo,
    ],
    [
      "/rules add '*' --block --type image",
      "browser_route",
      { vm: "web", pattern: "*", action: "block", resourceTypes: ["image"] },
    ],
    ["/proxy unset demo", "vm_proxy_set", { vm: "demo" }, demo],
    ["/profiles save demo --as alice", "profile_save", { vm: "demo", name: "alice" }, demo],
    ["/profiles save demo --as alice --whole", "profile_save", { vm: "demo", name: "alice", whole: true }, demo],
    ["/artifacts list --vm demo", "artifact_list", { of: "demo" }, demo],
    ["/eval demo -- '-1 + 2'", "browser_evaluate", { vm: "demo", function: "-1 + 2" }, demo],
    [
      "/emulate demo --geolocation 52.52,13.4",
      "browser_emulate",
      { vm: "demo", geolocation: { latitude: 52.52, longitude: 13.4 } },
      demo,
    ],
    ["/scroll --dy -200", "browser_scroll", { vm: "web", dy: -200 }],
  ];
  for (const [line, tool, given, more] of table)
    test(line, () =>
      expect(parseCommand(line, around(more))).toEqual([{ tool, arguments: given as Record<string, unknown> }]),
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
    ["/vms list -x", /has no -x/],
    ["/screenshot web -zoom", /has no -zoom/],
    ["/vms logs demo -f", /no -f here: .*\/watch/, demo],
    ["/downloads keep demo", /wants --id/, demo],
    ["/profiles save demo", /wants --as/, demo],
    ["/fill e3 -", /no standard input/],
    ["/upload demo a.csv b.csv", /no meaning in a run/, demo],
    ["/serve", /no meaning in a run/],
    ["/vms list --api http://other", /has no --api here/],
  ];
  for (const [line, words, more] of refused)
    test(`${line} is refused`, () =>
      expect(() => parseCommand(line, around(more))).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringMatching(words) }),
      ));

  test("every synonym names a tool; every tool can be named", () => {
    const names = TOOLS.map(({ name }) => name);
    const commands = Object.keys(CLI_COMMANDS);
    expect(Object.values(SYNONYMS).filter((name) => !names.includes(name) && !commands.includes(name))).toEqual([]);
    for (const { name } of TOOLS) {
      const command = commandOf(name);
      let said: string;
      try {
        said = parseCommand(command, around())[0]!.tool;
      } catch (thrown) {
        said = (thrown as Error).message;
      }
      // One that wants more than its name still shows that it was understood.
      expect([name, said === name || said.startsWith(command)]).toEqual([name, true]);
    }
  });
});

test("several VMs are several calls", () => {
  expect(parseCommand("/vms stop demo other --force", around(demo))).toEqual([
    { tool: "vm_stop", arguments: { vm: "demo", force: true } },
    { tool: "vm_stop", arguments: { vm: "other", force: true } },
  ]);
});

describe("the CLI's own commands", () => {
  const definitions = commandDefinitions();

  test("stand all in the table, and only they; their flags are the CLI's", () => {
    expect(Object.keys(CLI_COMMANDS).toSorted()).toEqual(definitions.map(({ path }) => path.join(" ")).toSorted());
    for (const [path, command] of Object.entries(CLI_COMMANDS)) {
      const names = findCommand(definitions, path.split(" "))!.options.flatMap((option) => option.names);
      const flags = "tool" in command ? Object.keys(command.flags ?? {}) : [];
      expect([path, flags.filter((flag) => !names.includes(`--${flag}`))]).toEqual([path, []]);
      const tool = "tool" in command ? TOOLS.find(({ name }) => name === command.tool) : true;
      expect([path, tool !== undefined]).toEqual([path, true]);
    }
    const list = findCommand(definitions, ["vms", "list"])!.options.flatMap((option) => option.names);
    expect(Object.keys(EVERYWHERE).filter((flag) => !list.includes(`--${flag}`))).toEqual([]);
  });

  /** Examples that mean nothing in a run, by what they are told. */
  const elsewhere: [begins: RegExp, words: RegExp][] = [
    [
      /^(try|serve|setup|tui|completion|mcp|keys|audit|image (?!list)|egress|observe|har|call|cdp|vms (resize|shell))\b/,
      /no meaning/,
    ],
    [
      /^(upload|uploads|state import|profiles (get|export|import|rotate-key)|live (list|revoke)|downloads delete)\b/,
      /no meaning/,
    ],
    [/^(vms watch)\b/, /stands alone/],
    [/^(fill|eval|proxy set) .* - /, /no standard input/],
    [/^(downloads keep demo$)/, /wants --id/], // the last one has an id, too
    [/^downloads get demo report.pdf/, /\/downloads list/],
    [/^(focus|dialog policy)\b/, /no meaning/],
    [/^type .* --delay/, /has no --delay/],
    [/^type demo 'hello world' --submit/, /wants --on/],
    [/^screenshot .* --scale/, /css or device/],
    [/^drag .* \d+,\d+/, /mouse-drag-xy/],
    [/^pdf .* --pages/, /has no --pages/],
    [/^eval .* --rich/, /has no --rich/],
    [/^emulate .* --network/, /has no --network/],
    [/^pdf .* --pages/, /has no --pages/],
    [/ --isolated/, /has no --isolated/],
    [/ --viewport/, /resize/],
    [/ --set-header/, /has no --set-header/],
    [/ --all( |$)/, /has no --all here/],
    [/^vms create .*--(egress|keep)/, /has no --(egress|keep)/],
    [/ --sort/, /has no --sort/],
    [/ -f$/, /has no -f here/],
  ];

  test("are understood as their examples write them, or answered with what to do instead", async () => {
    const lines = [...(await Bun.file("docs/cli.md").text()).matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(
      ([, block = ""]) => block.split("\n").filter((line) => line.startsWith("hype ")),
    );
    expect(lines.length).toBeGreaterThan(90);
    let understood = 0;
    for (const line of lines) {
      const typed = line
        .slice("hype ".length)
        .split(" | ")[0]!
        .replace(/ > .*$/, "");
      const told = elsewhere.find(([begins]) => begins.test(typed));
      const parse = () => {
        for (const { tool, arguments: given } of parseCommand(`/${typed}`, around(demo)))
          parsed(TOOLS.find(({ name }) => name === tool)!.input, given);
      };
      if (told)
        expect(parse, line).toThrow(
          expect.objectContaining({ code: "usage", message: expect.stringMatching(told[1]) }),
        );
      else {
        expect(parse, line).not.toThrow();
        // The VM it names is the one it is done to.
        if (splitWords(typed).includes("demo") && !typed.startsWith("artifacts") && !typed.startsWith("vms create"))
          expect([line, parseCommand(`/${typed}`, around(demo))[0]!.arguments]).toEqual([
            line,
            expect.objectContaining({ vm: "demo" }),
          ]);
        understood++;
      }
    }
    expect(understood).toBeGreaterThan(55);
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
