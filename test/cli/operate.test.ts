import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Client, KeepOptions } from "../../src/client/types.ts";
import type { Entry } from "../../src/contract/observe.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { fakeClient, hype } from "./harness.ts";

const PAGE = { tab: "T", url: "https://a.example/", title: "A page", dialogs: [], dialog_open: false };

/** A client that writes down what it was asked, and answers by operation. */
function asking(answers: Record<string, unknown> = {}, entries: Entry[] = []) {
  const asked: unknown[] = [];
  const operate = async (...call: unknown[]) => {
    asked.push(call.slice(0, 3));
    const { keep, onKept } = (call[3] ?? {}) as KeepOptions;
    if (keep) onKept?.("A1");
    return answers[String(call[1])] ?? PAGE;
  };
  const browser = {
    operate,
    operateForBytes: async (...call: unknown[]) => {
      asked.push(call.slice(0, 3));
      return new TextEncoder().encode("bytes");
    },
    async *entries(...call: unknown[]) {
      asked.push(["entries", call[0]]);
      yield* entries;
    },
  } as unknown as Client["browser"];
  return { asked, client: fakeClient({ browser }) };
}

const RULE = { id: "3", url: "*", resource_types: null, methods: null, action: "block", tab: null, hits: 2 };
const NOTHING = { all: {}, tab: null, effective: {} };

describe("what each command asks for", () => {
  test.each<[string[], unknown[], Record<string, unknown>?]>([
    [
      ["reload", "demo"],
      ["demo", "reload", {}],
    ],
    [
      ["back", "demo", "--tab", "T1"],
      ["demo", "back", { tab: "T1" }],
    ],
    [
      ["forward", "demo"],
      ["demo", "forward", {}],
    ],
    [
      ["select", "demo", "#c", "DE", "FR"],
      ["demo", "select", { selector: "#c", values: ["DE", "FR"] }],
    ],
    [
      ["check", "demo", "e12"],
      ["demo", "check", { ref: "e12", checked: true }],
    ],
    [
      ["check", "demo", "e12", "--off"],
      ["demo", "check", { ref: "e12", checked: false }],
    ],
    [
      ["hover", "demo", "e1"],
      ["demo", "hover", { ref: "e1" }],
    ],
    [
      ["tab", "use", "demo", "T2"],
      ["demo", "activate-tab", { tab: "T2" }],
    ],
    [
      ["tab", "close", "demo", "T2"],
      ["demo", "close-tab", { tab: "T2" }],
    ],
    [
      ["tab", "open", "demo", "a.example", "--isolated"],
      ["demo", "open-tab", { url: "https://a.example", isolated: true, background: false }],
    ],
    [
      ["call", "demo", "get-emulation"],
      ["demo", "get-emulation", {}],
    ],
    [
      ["call", "demo", "scroll", '{"delta_y":100}'],
      ["demo", "scroll", { delta_y: 100 }],
    ],
    [["emulate", "demo"], ["demo", "get-emulation", {}], { "get-emulation": NOTHING }],
    [
      ["emulate", "demo", "--reset", "--tab", "T"],
      ["demo", "reset-emulation", { tab: "T" }],
      { "reset-emulation": NOTHING },
    ],
    [
      ["emulate", "demo", "--viewport", "390x844", "--scale", "2.5", "--mobile", "--geolocation", "52.5,-13.4"],
      [
        "demo",
        "emulate",
        {
          viewport: { width: 390, height: 844 },
          device_scale_factor: 2.5,
          mobile: true,
          geolocation: { latitude: 52.5, longitude: -13.4 },
        },
      ],
      { emulate: NOTHING },
    ],
    [
      ["rules", "add", "demo", "*", "--block", "--type", "image"],
      ["demo", "add-rule", { url: "*", action: { type: "block" }, first: false, resource_types: ["image"] }],
    ],
    [
      [
        "rules",
        "add",
        "demo",
        "*/u",
        "--mock",
        "{}",
        "--status",
        "201",
        "--content-type",
        "application/json",
        "--first",
      ],
      [
        "demo",
        "add-rule",
        {
          url: "*/u",
          action: { type: "mock", body: "{}", status: 201, headers: { "content-type": "application/json" } },
          first: true,
        },
      ],
    ],
    [
      ["rules", "add", "demo", "*", "--set-header", "X-A=1", "--remove-header", "Cookie"],
      [
        "demo",
        "add-rule",
        { url: "*", action: { type: "headers", set: { "X-A": "1" }, remove: ["Cookie"] }, first: false },
      ],
    ],
    [
      ["rules", "remove", "demo", "3"],
      ["demo", "remove-rules", { ids: ["3"] }],
    ],
    [
      ["rules", "remove", "demo", "--all"],
      ["demo", "remove-rules", {}],
    ],
    [
      ["observe", "demo", "--stop", "--kinds", "console"],
      ["demo", "stop-observing", { kinds: ["console"] }],
    ],
  ])("%j", async (argv, call, answers = {}) => {
    const { asked, client } = asking(answers);
    expect(await hype(argv, { client })).toMatchObject({ code: 0, stderr: "" });
    expect(asked).toEqual([call]);
  });

  test.each([
    [["emulate", "demo", "--viewport", "big"]],
    [["emulate", "demo", "--reset", "--mobile"]],
    [["emulate", "demo", "--scale", "-1"]],
    [["rules", "add", "demo", "*"]],
    [["rules", "add", "demo", "*", "--block", "--allow"]],
    [["rules", "add", "demo", "*", "--block", "--type", "picture"]],
    [["rules", "remove", "demo"]],
    [["rules", "remove", "demo", "3", "--all"]],
    [["observe", "demo", "--kinds", "everything"]],
    [["call", "demo", "../../keys"]],
    [["call", "demo", "scroll", "[1]"]],
    [["call", "demo", "scroll", "{"]],
  ])("%j is a usage error, and nothing is sent", async (argv) => {
    const { asked, client } = asking();
    const { code, stderr } = await hype(argv, { client });
    expect(code).toBe(2);
    expect(stderr).toContain("error[usage]");
    expect(asked).toEqual([]);
  });
});

describe("what they print", () => {
  test("lists", async () => {
    const { client } = asking({
      "list-rules": { items: [RULE] },
      links: { tab: "T", items: [{ ref: "e1", text: "Go\u001b[2J", url: "https://a.example/go" }], total: 1 },
      find: { tab: "T", items: [{ ref: "e2", role: "button", name: "Buy", text: "Buy now", visible: true }], total: 1 },
    });
    expect((await hype(["rules", "list", "demo"], { client })).stdout).toMatch(/^ID .*HITS\n3 +block +\* +all +2\n$/);
    const links = (await hype(["links", "demo"], { client })).stdout;
    expect(links).toContain("https://a.example/go");
    expect(links).not.toContain("\u001b");
    expect((await hype(["find", "demo", "buy"], { client })).stdout).toMatch(/e2 +button +Buy now/);
  });

  test("call: a reply is JSON, bytes go where they are sent", async () => {
    using directory = temporaryDirectory();
    const { client, asked } = asking();
    expect(JSON.parse((await hype(["call", "demo", "back"], { client })).stdout)).toEqual(PAGE);
    const body = '{"id":"12"}';
    const { code, stdout } = await hype(["call", "demo", "get-body", "-", "-o", "b.bin"], {
      client,
      cwd: directory.path,
      stdin: body,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "b.bin  5 B\n" });
    expect(readFileSync(directory.join("b.bin"), "utf8")).toBe("bytes");
    expect(asked.at(-1)).toEqual(["demo", "get-body", { id: "12" }]);
  });

  test("har into a file, and how many requests stand in it", async () => {
    using directory = temporaryDirectory();
    const { client } = asking({ "export-har": { log: { version: "1.2", entries: [{}, {}] } } });
    const { stdout } = await hype(["har", "demo", "--bodies"], { client, cwd: directory.path });
    expect(stdout).toBe("demo.har  2 requests\n");
    expect(JSON.parse(readFileSync(directory.join("demo.har"), "utf8")).log.version).toBe("1.2");
    const kept = await hype(["har", "demo", "--keep"], { client, cwd: directory.path });
    expect(kept.stdout).toBe("demo.har  2 requests  kept as A1\n");
  });

  test("observe begins to record, then shows what there is, or what comes", async () => {
    const at = { seq: 1, id: "1", tab: "T", time: Date.parse("2026-01-01T10:00:00.250Z") };
    const entry: Entry = {
      ...at,
      kind: "console",
      level: "log",
      text: "hi\u001b]0;x\u0007",
      url: "https://a.example/a.js",
      line: 3,
      column: 1,
    };
    const shown = "10:00:00.250  log: hi␛]0;x␇  https://a.example/a.js:3\n";
    const once = asking({ "list-entries": { items: [entry], dropped: 4, after: 1 } });
    const listed = await hype(["observe", "demo", "--kinds", "console"], { client: once.client });
    expect(listed).toMatchObject({ code: 0, stdout: shown, stderr: "4 older entries had no room\n" });
    expect(once.asked).toEqual([
      ["demo", "start-observing", { kinds: ["console"] }],
      ["demo", "list-entries", { kinds: ["console"] }],
    ]);
    const live = asking({}, [entry]);
    expect((await hype(["observe", "demo", "--follow"], { client: live.client })).stdout).toBe(shown);
    expect(live.asked.at(-1)).toEqual(["entries", "demo"]);
  });

  test("observe shows tabs and downloads, for people and as JSON lines", async () => {
    const at = { id: "1", tab: "T", time: Date.parse("2026-01-01T10:00:00.250Z") };
    const file = {
      name: "a\u001b.zip",
      url: "https://a.example/a.zip",
      type: "application/zip",
      sha256: null,
      error: null,
    };
    const part = { total_bytes: 2_000_000, received_bytes: 1_000_000, state: "in_progress" as const };
    const entries: Entry[] = [
      { ...at, seq: 1, kind: "tab", event: "navigated", url: "https://a.example/", title: "A page", opener: null },
      { ...at, seq: 2, kind: "download", ...file, ...part },
      { ...at, seq: 3, kind: "download", ...file, ...part, state: "failed", error: "it broke off" },
    ];
    const { client, asked } = asking({ "list-entries": { items: entries, dropped: 0, after: 3 } }, entries);
    const observe = ["observe", "demo", "--kinds", "tab,download"];
    expect((await hype(observe, { client })).stdout.split("\n")).toEqual([
      "10:00:00.250  tab T navigated: https://a.example/  A page",
      "10:00:00.250  download a␛.zip (in_progress)  1.0 MB of 2.0 MB  1",
      "10:00:00.250  download a␛.zip (failed)  it broke off  1",
      "",
    ]);
    expect(asked.at(-1)).toEqual(["demo", "list-entries", { kinds: ["tab", "download"] }]);
    const lines = (await hype([...observe, "--follow", "--json"], { client })).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(entries);
  });
});
