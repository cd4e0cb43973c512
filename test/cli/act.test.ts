import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { Client } from "../../src/client/types.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { fakeClient, hype, type World } from "./harness.ts";

const PAGE = { tab: "T", url: "https://a.example/", title: "A page", dialogs: [], dialog_open: false };

/** A client that writes down what it was asked, and answers as given. */
function asking(answer: unknown = PAGE) {
  const asked: unknown[] = [];
  const operate = async (...call: unknown[]) => {
    asked.push(call.slice(0, 3));
    return answer;
  };
  const operateForBytes = async (...call: unknown[]) => {
    asked.push(call.slice(0, 3));
    return new TextEncoder().encode("%PDF-1.7");
  };
  const browser = { operate, operateForBytes } as unknown as Client["browser"];
  return { asked, client: fakeClient({ browser }) };
}

describe("commands that act on a page", () => {
  test.each<[string[], unknown]>([
    [
      ["click", "demo", "e7"],
      ["demo", "click", { ref: "e7" }],
    ],
    [
      ["click", "demo", "f2e7", "--double"],
      ["demo", "click", { ref: "f2e7", count: 2 }],
    ],
    [
      ["click", "demo", "text=Go", "--button", "right"],
      ["demo", "click", { selector: "text=Go", button: "right" }],
    ],
    [
      ["fill", "demo", "#q", "words", "--submit", "--timeout", "5s"],
      ["demo", "fill", { selector: "#q", text: "words", submit: true, timeout_ms: 5000 }],
    ],
    [
      ["press", "demo", "Control+A", "--on", "e3", "--tab", "T1"],
      ["demo", "press", { key: "Control+A", ref: "e3", tab: "T1" }],
    ],
    [
      ["wait", "demo", "--text", "Done"],
      ["demo", "wait", { text: "Done" }],
    ],
    [
      ["click", "demo", "e7", "--modifier", "Control", "--modifier", "Shift"],
      ["demo", "click", { ref: "e7", modifiers: ["Control", "Shift"] }],
    ],
    [
      ["type", "demo", "hello", "--on", "e3", "--delay", "80", "--submit"],
      ["demo", "type", { text: "hello", submit: true, ref: "e3", delay_ms: 80 }],
    ],
    [
      ["focus", "demo", "#q"],
      ["demo", "focus", { selector: "#q" }],
    ],
    [
      ["scroll", "demo", "--down=-300", "--right", "20"],
      ["demo", "scroll", { dy: -300, dx: 20 }],
    ],
    [
      ["scroll", "demo", "text=Imprint"],
      ["demo", "scroll", { selector: "text=Imprint" }],
    ],
    [
      ["drag", "demo", "e7", "240,80.5"],
      ["demo", "drag", { ref: "e7", to: { x: 240, y: 80.5 } }],
    ],
    [
      ["wait", "demo", "--load", "domcontentloaded"],
      ["demo", "wait", { load: "domcontentloaded" }],
    ],
    [
      ["wait", "demo", "--dialog"],
      ["demo", "wait", { dialog: true }],
    ],
    [
      ["wait", "demo", "--network-idle"],
      ["demo", "wait", { network_idle: true }],
    ],
  ])("%j", async (argv, call) => {
    const { asked, client } = asking();
    const { code, stdout } = await hype(argv, { client });
    expect(code).toBe(0);
    expect(stdout).toBe("A page  https://a.example/\n");
    expect(asked).toEqual([call]);
  });

  test.each([
    [["wait", "demo"]],
    [["wait", "demo", "--text", "a", "--selector", "b"]],
    [["click", "demo", "e1", "--button", "fourth"]],
    [["click", "demo", "e1", "--modifier", "Hyper"]],
    [["scroll", "demo"]],
    [["scroll", "demo", "--down", "far"]],
    [["pdf", "demo", "--format", "a4", "--paper", "8x11"]],
    [["pdf", "demo", "--margin", "1,2"]],
    [["emulate", "demo", "--network", "slow"]],
    [["emulate", "demo", "--header", "nothing"]],
    [["emulate", "demo", "--permission", "geolocation=perhaps"]],
    [["state", "clear", "demo", "--part", "everything"]],
    [["dialog", "policy", "demo", "perhaps"]],
  ])("%j is a usage error, and nothing is sent", async (argv) => {
    const { asked, client } = asking();
    const { code, stderr } = await hype(argv, { client });
    expect(code).toBe(2);
    expect(stderr).toContain("error[usage]");
    expect(asked).toEqual([]);
  });

  test("what a page says cannot steer a terminal", async () => {
    const { client } = asking({ ...PAGE, title: "\u001b[2Jgone\u202e", yaml: "- text: \u001b]52;c;AAAA\u0007" });
    const terminal = { stdin: false, stdout: true, stderr: false, columns: 80 };
    for (const argv of [
      ["click", "demo", "e1"],
      ["snapshot", "demo"],
    ])
      expect((await hype(argv, { client, terminal } as World)).stdout).not.toContain("\u001b[2J");
  });

  test("snapshot is the tree itself; --json the whole reply", async () => {
    const { client } = asking({ ...PAGE, yaml: '- button "Go" [ref=e1]', truncated: false });
    expect((await hype(["snapshot", "demo"], { client })).stdout).toBe('- button "Go" [ref=e1]\n');
    expect(JSON.parse((await hype(["snapshot", "demo", "--json"], { client })).stdout)).toMatchObject({
      truncated: false,
    });
  });
});

describe("files", () => {
  test("pdf writes what came", async () => {
    using directory = temporaryDirectory();
    const { client } = asking();
    const { code } = await hype(["pdf", "demo", "-o", "page.pdf"], { client, cwd: directory.path } as World);
    expect(code).toBe(0);
    expect(readFileSync(directory.join("page.pdf"), "utf8")).toBe("%PDF-1.7");
  });

  const STATE = { cookies: [{ name: "a" }], origins: [] };
  test("a state is written for its owner alone, also over a file that others could read", async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("state.json"), "old", { mode: 0o644 });
    const { client } = asking(STATE);
    await hype(["state", "export", "demo", "-o", "state.json"], { client, cwd: directory.path } as World);
    expect(JSON.parse(readFileSync(directory.join("state.json"), "utf8"))).toEqual(STATE);
    expect(statSync(directory.join("state.json")).mode & 0o777).toBe(0o600);
  });

  test("and taken over from there; what is no JSON is refused", async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("state.json"), JSON.stringify(STATE));
    writeFileSync(directory.join("page.html"), "<html>");
    const { asked, client } = asking({ cookies: 1, expired: 0, origins: 0 });
    const world = { client, cwd: directory.path } as World;
    expect((await hype(["state", "import", "demo", "state.json"], world)).stdout).toContain("1 cookies");
    expect(asked).toEqual([["demo", "import-state", { state: STATE, replace: false }]]);
    expect((await hype(["state", "import", "demo", "page.html"], world)).stderr).toContain("is not JSON");
    expect((await hype(["state", "import", "demo", "none.json"], world)).stderr).toContain("cannot be read");
    expect(asked).toHaveLength(1);
  });
});
