import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { HypeError } from "../../src/contract/index.ts";
import { argumentsFor } from "../../src/tools/arguments.ts";
import { findTool } from "../../src/tools/registry.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { Reader } from "../agui/lib.ts";
import { type Browsing, refIn, startBrowsing } from "../lib/browsing.ts";
import { connectClient } from "../mcp/world.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(60_000); // a real Chromium

const PAGE = `<title>Form</title><label>Name <input id=name></label><label><input type=checkbox id=box>Agree</label>
  <p id=from draggable=true>from</p><p id=to>to</p>
  <script>document.querySelector("#from").ondragstart = () => (document.title = "dragged")</script>`;

let server: TestServer;
let browsing: Browsing;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({ "/form": PAGE });
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});

type Door = AsyncDisposable & {
  call(name: string, args: Record<string, unknown>): Promise<{ ok: boolean; text: string }>;
};

/** Both doors of the registry, for one VM. */
const DOORS: [name: string, open: () => Promise<Door>][] = [
  [
    "MCP",
    async () => {
      const mcp = await connectClient(`${server.url}/mcp/vms/demo`, "auto");
      return {
        call: async (name, args) => {
          const { isError, text } = await mcp.call(name, args);
          return { ok: !isError, text };
        },
        [Symbol.asyncDispose]: () => mcp[Symbol.asyncDispose](),
      };
    },
  ],
  [
    "AG-UI",
    async () => ({
      call: async (tool, args) => {
        const operations = [{ tool, arguments: args }];
        const reader = await new Reader(server, { vm: "demo", threadId: "arguments" }).run({
          forwardedProps: { operations },
        });
        return reader.finished.result.operations[0];
      },
      [Symbol.asyncDispose]: async () => {},
    }),
  ],
];

describe.each(DOORS)("arguments as older tool sets have them, over %s", (_name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open();
  });
  afterAll(() => door[Symbol.asyncDispose]());
  const must = async (name: string, args: Record<string, unknown> = {}) => {
    const { ok, text } = await door.call(name, args);
    expect(ok, `${name}: ${text}`).toBe(true);
    return text;
  };
  const evaluated = async (text: string) =>
    JSON.parse((await must("browser_evaluate", { function: text })).split("\n")[2]!);
  beforeEach(async () => void (await must("browser_navigate", { url: `${browsing.site.origin}/form` })));

  test("ref is target, element is for people, in fields of a form, too", async () => {
    const seen = await must("browser_snapshot");
    await must("browser_type", { ref: refIn(seen, "Name"), element: "the name", text: "Ada" });
    await must("browser_fill_form", {
      fields: [{ ref: refIn(seen, "Agree"), name: "Agree", type: "checkbox", value: "true" }],
    });
    expect(await evaluated("() => document.querySelector('#name').value")).toBe("Ada");
    expect(await evaluated("() => document.querySelector('#box').checked")).toBe(true);
    await must("browser_drag", { startRef: "#from", startElement: "from", endRef: "#to", endElement: "to" });
    expect(await evaluated("() => document.title")).toBe("dragged");
  });

  test("what is of no use is let in, and said to be", async () => {
    const text = await must("browser_snapshot", { filename: "a.md", boxes: true });
    for (const name of ["filename", "boxes"]) expect(text).toContain(`\`${name}\` was ignored`);
    expect(await must("browser_pdf_save", { filename: "receipt.pdf" })).not.toContain("was ignored");
  });

  test("what nobody knows, and another VM, are refused", async () => {
    for (const [args, words] of [
      [{ fielname: "a.md" }, "fielname"],
      [{ vm: "other" }, "VM demo alone"],
    ] as const) {
      const { ok, text } = await door.call("browser_snapshot", args);
      expect(ok).toBe(false);
      expect(text).toContain("invalid_request");
      expect(text).toContain(words);
    }
  });
});

describe("arguments", () => {
  const tool = findTool("browser_click", "operate") as Tool;
  const refused = (args: unknown): string => {
    try {
      argumentsFor(tool, args, null);
    } catch (thrown) {
      if (thrown instanceof HypeError) return thrown.message;
    }
    return "";
  };

  test("by their name of today win over the older one", () => {
    const { input } = argumentsFor(tool, { vm: "a", target: "#new", ref: "#old" }, null);
    expect(input.target).toBe("#new");
  });

  test.each([["text"], [1], [null]])("that are no object are refused: %j", (args) => {
    expect(refused(args)).toContain("the arguments");
  });

  test("named as what every object has are nobody's", () => {
    expect(refused(JSON.parse('{"vm":"a","target":"#x","constructor":1}'))).toContain("constructor");
    expect(refused(JSON.parse('{"vm":"a","target":"#x","__proto__":{"force":true}}'))).toContain("__proto__");
  });
});
