import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluated } from "../../src/contract/browser.ts";
import { fakeClient, hype } from "./harness.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const PICTURE = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 10]);

const FIRST = { active: true, isolated: false, context: null, opener: null };

describe("open", () => {
  const world = (title = "Example") => {
    const bodies: unknown[] = [];
    const client = fakeClient({
      browser: {
        navigate: async (name, body) => {
          bodies.push({ name, ...body });
          return { tab: "T1", url: body.url, title, status: 200, redirects: [], timings: null };
        },
      },
    });
    return { bodies, client };
  };

  test("shows title, address and status", async () => {
    const { client, bodies } = world();
    const { code, stdout } = await hype(["open", "demo", "https://example.com/", "--timeout", "5s"], { client });
    expect(code).toBe(0);
    expect(stdout).toBe("Example  https://example.com/  200\n");
    expect(bodies).toEqual([{ name: "demo", url: "https://example.com/", timeout_ms: 5000 }]);
  });

  test("shows a hostile title harmless", async () => {
    const { stdout } = await hype(["open", "demo", "x.org"], { client: world("\x1b[2J\u202eevil\nline").client });
    expect(stdout).toBe("␛[2J<202E>evil␊line  https://x.org  200\n");
  });

  test.each([
    ["example.com", "https://example.com"],
    ["localhost:3000/x", "http://localhost:3000/x"],
    ["192.168.0.1", "http://192.168.0.1"],
    ["[::1]:80", "http://[::1]:80"],
    ["about:blank", "about:blank"],
    ["data:text/html,hi", "data:text/html,hi"],
    ["file:///etc/hosts", "file:///etc/hosts"],
  ])("%s means %s", async (typed, meant) => {
    const { client, bodies } = world();
    await hype(["open", "demo", typed], { client });
    expect(bodies).toEqual([{ name: "demo", url: meant }]);
  });
});

describe("screenshot", () => {
  const world = () => {
    const bodies: unknown[] = [];
    const client = fakeClient({
      browser: {
        screenshot: async (_name, body) => {
          bodies.push(body);
          return PICTURE;
        },
      },
    });
    return { bodies, client };
  };

  test("writes the bytes into a file named after the VM", async () => {
    using directory = temporaryDirectory();
    const { stdout } = await hype(["screenshot", "demo"], { client: world().client, cwd: directory.path });
    expect(stdout).toBe("demo.png  7 B\n");
    expect(readFileSync(join(directory.path, "demo.png"))).toEqual(Buffer.from(PICTURE));
  });

  test.each([
    { argv: ["-o", "a.jpg"], body: { format: "jpeg", full_page: false } },
    {
      argv: ["-o", "a.WEBP", "--full-page", "--quality", "80"],
      body: { format: "webp", full_page: true, quality: 80 },
    },
    { argv: ["-o", "a.bin", "--format", "png"], body: { format: "png", full_page: false } },
  ])("$argv asks for the right format", async ({ argv, body }) => {
    using directory = temporaryDirectory();
    const { client, bodies } = world();
    expect((await hype(["screenshot", "demo", ...argv], { client, cwd: directory.path })).code).toBe(0);
    expect(bodies).toEqual([body]);
  });

  test("-o - is the bytes alone", async () => {
    const { bytes } = await hype(["screenshot", "demo", "-o", "-"], { client: world().client });
    expect(bytes).toEqual(Buffer.from(PICTURE));
  });

  test.each([
    { name: "a terminal", argv: ["-o", "-"], terminal: { stdout: true }, said: "terminal" },
    { name: "an unknown ending", argv: ["-o", "a.gif"], terminal: {}, said: ".gif" },
  ])("refuses $name before asking a server", async ({ argv, terminal, said }) => {
    const { code, stderr, bytes } = await hype(["screenshot", "demo", ...argv], { terminal });
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(bytes).toHaveLength(0);
  });

  test("says when the file cannot be written", async () => {
    const { code, stderr } = await hype(["screenshot", "demo", "-o", "/nonexistent/a.png"], { client: world().client });
    expect(code).toBe(2);
    expect(stderr).toContain("/nonexistent/a.png cannot be written");
  });
});

describe("eval", () => {
  const client = (evaluated: Partial<Evaluated>, seen: string[] = []) =>
    fakeClient({
      browser: {
        evaluate: async (_name, body) => {
          seen.push(body.expression);
          return { tab: "T1", type: "string", value: null, description: null, ...evaluated };
        },
      },
    });

  test.each([
    { name: "text", evaluated: { value: 'a "b"' }, argv: [], said: '"a \\"b\\""\n' },
    { name: "raw text", evaluated: { value: 'a "b"' }, argv: ["--raw"], said: 'a "b"\n' },
    {
      name: "an object",
      evaluated: { type: "object", value: { a: [1] } },
      argv: [],
      said: '{\n  "a": [\n    1\n  ]\n}\n',
    },
    { name: "null", evaluated: { type: "object" }, argv: [], said: "null\n" },
    { name: "undefined", evaluated: { type: "undefined" }, argv: [], said: "undefined\n" },
    { name: "NaN", evaluated: { type: "number", description: "NaN" }, argv: [], said: "NaN\n" },
  ])("prints $name", async ({ evaluated, argv, said }) => {
    expect((await hype(["eval", "demo", "x", ...argv], { client: client(evaluated) })).stdout).toBe(said);
  });

  test("reads the script from standard input", async () => {
    const seen: string[] = [];
    await hype(["eval", "demo", "-"], { client: client({ value: 1 }, seen), stdin: "1 +\n1" });
    expect(seen).toEqual(["1 +\n1"]);
  });

  test("a raw string of a page is harmless on a terminal and exact in a pipe", async () => {
    const evaluated = { value: "\x1b[31mred" };
    const argv = ["eval", "demo", "x", "--raw"];
    expect((await hype(argv, { client: client(evaluated) })).stdout).toBe("\x1b[31mred\n");
    expect((await hype(argv, { client: client(evaluated), terminal: { stdout: true } })).stdout).toBe("␛[31mred\n");
  });
});

describe("content, tabs and cdp", () => {
  const client = fakeClient({
    vms: {
      cdpToken: async (_name, body) => ({
        token: "t",
        expires_at: `in ${body?.ttl_seconds ?? 3600}`,
        ws_url: "ws://h/cdp?token=t",
        http_url: "http://h/cdp?token=t",
      }),
    },
    browser: {
      content: async (_name, body) => ({
        tab: "T1",
        url: "u",
        title: "t",
        format: body?.format ?? "html",
        content: "<p>",
      }),
      tabs: async () => ({
        items: [
          { id: "T1", url: "https://a", title: "漢字", ...FIRST },
          { id: "T22", url: "https://b", title: "x", ...FIRST, active: false },
        ],
      }),
    },
  });

  test.each([
    { argv: ["content", "demo"], said: "<p>\n" },
    {
      argv: ["content", "demo", "--format", "text", "--json"],
      said: '{"tab":"T1","url":"u","title":"t","format":"text","content":"<p>"}\n',
    },
    { argv: ["tabs", "demo"], said: "ID   TITLE  URL\nT1   漢字   https://a\nT22  x      https://b\n" },
    { argv: ["cdp", "demo"], said: "ws://h/cdp?token=t\n" },
    { argv: ["cdp", "demo", "--http"], said: "http://h/cdp?token=t\n" },
  ])("$argv", async ({ argv, said }) => {
    const { code, stdout } = await hype(argv, { client });
    expect(code).toBe(0);
    expect(stdout).toBe(said);
  });

  test("cdp --ttl is a duration", async () => {
    const { stdout } = await hype(["cdp", "demo", "--ttl", "8h", "--json"], { client });
    expect(JSON.parse(stdout).expires_at).toBe("in 28800");
  });

  test("content refuses a format there is not", async () => {
    expect((await hype(["content", "demo", "--format", "pdf"])).code).toBe(2);
  });
});
