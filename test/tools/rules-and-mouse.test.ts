import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { dialogsSaid } from "../../src/tools/page-result.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { connectClient, type McpClient } from "../mcp/world.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(60_000); // a real Chromium

const PAGE = `<title>Pad</title><style>body { margin: 0 }</style>
  <div id=pad style="width:300px;height:200px;overflow:scroll"><div style="height:3000px">x</div></div><script>
    window.seen = [];
    for (const type of ["mousedown", "mouseup", "dblclick"])
      addEventListener(type, ({ button, clientX, clientY, timeStamp }) => seen.push({ type, button, clientX, clientY, timeStamp }));
  </script>`;

let server: TestServer;
let browsing: Browsing;
let mcp: McpClient;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({
    "/pad": PAGE,
    "/asks": `<button onclick="for (let i = 0; i < 120; i++) alert('again ' + i)">Ask</button>`,
  });
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  mcp = await connectClient(`${server.url}/mcp/vms/demo`, "auto");
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});
beforeEach(async () => void (await must("browser_navigate", { url: `${browsing.site.origin}/pad` })));

const must = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
  const said = await mcp.call(name, args);
  expect(said.isError, `${name}: ${said.text}`).toBe(false);
  return said.text;
};
const evaluated = async (text: string) =>
  JSON.parse((await must("browser_evaluate", { function: text })).split("\n").slice(2, -1).join("\n"));

describe("rules for requests, as Playwright's server takes them", () => {
  const fetched = (path: string) =>
    evaluated(`() => fetch("${path}").then(async (reply) => [reply.status, await reply.text()], () => "blocked")`);
  const routed = async (args: object) => {
    const said = await mcp.call("browser_route", { pattern: "**/asked*", ...args });
    expect(said.isError, said.text).toBe(false);
  };

  test.each<[name: string, args: object, comes: unknown]>([
    ["a pattern alone blocks", {}, "blocked"],
    ["a body is an answer", { body: "mine" }, [200, "mine"]],
    ["a status is one, too", { status: 503 }, [503, ""]],
    ["an action wins", { action: "block", status: 200 }, "blocked"],
  ])("%s", async (_name, args, comes) => {
    await routed(args);
    expect(await fetched("/asked")).toEqual(comes as never);
    await must("browser_unroute");
  });

  test("an answer has the headers and the type given", async () => {
    await routed({ body: "{}", headers: ["X-Mine: yes"], contentType: "application/json" });
    const headers = `() => fetch("/asked").then(({ headers }) => [headers.get("x-mine"), headers.get("content-type")])`;
    expect(await evaluated(headers)).toEqual(["yes", "application/json"]);
    await must("browser_unroute");
  });

  test("headers alone go along with the request, others are left out", async () => {
    const echo = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: ({ headers }) => Response.json(headers.toJSON()) });
    try {
      await must("browser_navigate", { url: echo.url.href });
      await routed({ headers: ["X-Mine: yes: no"], removeHeaders: "x-theirs, accept-language" });
      const asking = `() => fetch("/asked", { headers: { "x-theirs": "1", "x-other": "2" } }).then((reply) => reply.json())`;
      const sent = (await evaluated(asking)) as Record<string, string>;
      expect([sent["x-mine"], sent["x-theirs"], sent["x-other"]]).toEqual(["yes: no", undefined, "2"]);
    } finally {
      await echo.stop(true);
    }
    expect((await mcp.call("browser_route", { pattern: "*", headers: ["none"] })).text).toContain("Name: value");
    await must("browser_unroute");
  });

  test("they are removed by pattern, or all of the own tab and of no other", async () => {
    await browsing.guest.overlay.addRule({
      url: "*/elsewhere*",
      action: { type: "block" },
      first: false,
      timeout_ms: 10_000,
    });
    await routed({});
    await must("browser_route", { pattern: "*/other*" });
    expect(await must("browser_unroute", { pattern: "*/other*" })).toContain("1 rules");
    expect(await fetched("/asked")).toBe("blocked");
    expect(await must("browser_unroute")).toContain("1 rules");
    expect(await must("browser_unroute")).toContain("0 rules");
    expect(await fetched("/asked")).not.toBe("blocked");
    expect(await must("browser_route_list")).toContain("/elsewhere");
  });
});

test("a cookie without a domain is the page's", async () => {
  await must("browser_cookie_set", { name: "mine", value: "1" });
  expect(await evaluated("() => document.cookie")).toBe("mine=1");
});

describe("the mouse", () => {
  const seen = (): Promise<{ type: string; button: number; clientX: number; timeStamp: number }[]> =>
    evaluated("() => window.seen");

  test("is pressed and released where it is", async () => {
    await must("browser_mouse_move_xy", { x: 50, y: 60 });
    await must("browser_mouse_down", { button: "middle" });
    await must("browser_mouse_up", { button: "middle" });
    expect(await seen()).toMatchObject([
      { type: "mousedown", button: 1, clientX: 50, clientY: 60 },
      { type: "mouseup", button: 1 },
    ]);
  });

  test("clicks twice, and holds as long as is said", async () => {
    await must("browser_mouse_click_xy", { x: 50, y: 60, clickCount: 2 });
    expect((await seen()).map(({ type }) => type)).toContain("dblclick");
    await must("browser_navigate", { url: `${browsing.site.origin}/pad` });
    await must("browser_mouse_click_xy", { x: 50, y: 60, delay: 150 });
    const [down, up] = await seen();
    expect(up!.timeStamp - down!.timeStamp).toBeGreaterThanOrEqual(140);
  });

  test("its wheel turns what is under it", async () => {
    await must("browser_mouse_wheel", { deltaX: 0, deltaY: 200, x: 100, y: 100 });
    await must("browser_wait_for", { selector: "#pad" });
    const scrolled =
      "() => new Promise((done) => { const look = () => pad.scrollTop > 0 ? done(pad.scrollTop) : requestAnimationFrame(look); look(); })";
    expect(await evaluated(scrolled)).toBeGreaterThan(0);
  });
});

test("dialogs that were too many to tell are counted", async () => {
  await must("browser_navigate", { url: `${browsing.site.origin}/asks` });
  const said = await must("browser_click", { target: "text=Ask" });
  expect(said).toContain("again 119");
  expect(said).toContain("20 dialogs before these are not shown");
  const acted = { tab: "t", url: "u", title: "t", dialogs: [], dialog_open: false };
  expect(dialogsSaid({ ...acted, dialogs_dropped: 0 })).toBe("");
  expect(dialogsSaid({ ...acted, dialogs: [{ type: "alert", message: "a" }], dialogs_dropped: 1 })).toContain(
    "1 dialog before",
  );
});
