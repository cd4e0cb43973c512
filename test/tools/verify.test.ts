import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { connect } from "../../src/client/client.ts";
import { type Browsing, refIn, startBrowsing } from "../lib/browsing.ts";
import { connectClient, type McpClient } from "../mcp/world.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";

setDefaultTimeout(60_000); // a real Chromium

const FORM = `<title>Form</title><h1>Your  order</h1><p>Thank <b>you</b>, come again</p><p hidden>not to be seen</p>
  <button>Send it</button><button style="display:none">Hidden button</button><button>He said "no" >> [x]=1 / it's</button>
  <ul id=list><li>One</li><li>Two<br>lines</li><li hidden>Three</li></ul>
  <label>Name <input id=name value=Ada></label><label><input type=checkbox id=box checked>Agree</label>
  <label><input type=radio name=r id=no>No</label><div role=checkbox id=aria aria-checked=false>Aria</div>
  <select id=colour><option value=r>Red</option><option value=b selected>Blue</option></select>
  <input type=range id=volume min=0 max=10 value=7><div id=free contenteditable>typed</div>
  <iframe src=/inner title=frame></iframe>`;
const INNER = `<title>Inner</title><button>Deep inside</button><p>words of the frame</p><iframe src=/innermost></iframe>`;
const INNERMOST = `<title>Innermost</title><button>Deepest</button><input placeholder="Search here">`;
const NAMES = `<title>Names</title><main>
  <button data-it=role>Go</button><button data-it=exact>Save</button><button>Save as</button>
  <button data-testid="the 'one'" data-it=testid>x</button><button data-testid=two>x</button>
  <input data-it=placeholder placeholder="Your &quot;name&quot;" aria-label=""><img alt="A red car" data-it=alt><img alt="A blue car">
  <p data-it=text>Only here</p><p data-it=exacttext>Price</p><p>Price per piece</p>
  <span title="A hint" data-it=title></span><div id="a:b" data-it=id></div>
  <button data-it=odd>He said "no" >> [x]=1 / it's</button>
  <div><span data-it=path></span><span></span></div><ul><li>same</li><li data-it=same>same</li></ul>
  <x-box></x-box></main>
  <script>
    const root = document.querySelector("x-box").attachShadow({ mode: "open" });
    root.innerHTML = "<p><i></i><i data-it=shadow></i></p><button data-it=shadowbutton>In the shadow</button>";
  </script>`;

let server: TestServer;
let browsing: Browsing;
let mcp: McpClient;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({ "/form": FORM, "/inner": INNER, "/innermost": INNERMOST, "/names": NAMES });
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  mcp = await connectClient(`${server.url}/mcp/vms/demo?tools=testing`, "auto");
  const { ws_url: url } = await connect({ base: server.url, key: KEY }).vms.cdpToken("demo");
  browser = await chromium.connectOverCDP(url);
  page = browser.contexts()[0]!.pages()[0]!;
});
afterAll(async () => {
  await browser?.close();
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});

const open = async (path: string) => {
  const said = await mcp.call("browser_navigate", { url: browsing.site.origin + path, snapshot: true });
  expect(said.isError, said.text).toBe(false);
  return said.text;
};

test("they are a group of their own, and in no list by default", async () => {
  const names = (await mcp.client.listTools()).tools.map(({ name }) => name);
  expect(names).toEqual([
    ...["element_visible", "text_visible", "list_visible", "value"].map((what) => `browser_verify_${what}`),
    "browser_generate_locator",
  ]);
  await using plain = await connectClient(`${server.url}/mcp/vms/demo`, "auto");
  const listed = (await plain.client.listTools()).tools.map(({ name }) => name);
  for (const name of names) expect(listed).not.toContain(name);
});

describe("what is so is verified, and what is not says what there is instead", () => {
  beforeEach(() => open("/form"));

  const element = "what a person calls it";
  test.each<[name: string, args: Record<string, unknown>, fails: string | null]>([
    ["element_visible", { role: "button", accessibleName: "Send it" }, null],
    ["element_visible", { role: "button", accessibleName: "send" }, null],
    ["element_visible", { role: "button", accessibleName: `He said "no" >> [x]=1 / it's` }, null],
    ["element_visible", { role: "heading", accessibleName: "Your order" }, null],
    ["element_visible", { role: "button", accessibleName: "Deep inside" }, null],
    ["element_visible", { role: "button", accessibleName: "Deepest" }, null],
    ["element_visible", { role: "link", accessibleName: "Send it" }, `no visible link with the name "Send it"`],
    ["element_visible", { role: "button", accessibleName: "Hidden button" }, "no visible button"],
    ["element_visible", { role: "button", accessibleName: ".*" }, "no visible button"],
    ["element_visible", { role: "button][x", accessibleName: "x" }, "is no role"],
    ["text_visible", { text: "come again" }, null],
    ["text_visible", { text: "thank you, come" }, null],
    ["text_visible", { text: "words of the frame" }, null],
    ["text_visible", { text: "not to be seen" }, "is not visible"],
    ["text_visible", { text: "/come/" }, "is not visible"],
    ["list_visible", { element, target: "#list", items: ["One", "two lines"] }, null],
    ["list_visible", { element, target: "#list", items: ["One", "Three"] }, `does not show "Three"`],
    ["list_visible", { element, target: "#nothing", items: ["One"] }, "element_not_found"],
    ["value", { element, type: "textbox", target: "#name", value: "Ada" }, null],
    ["value", { element, type: "textbox", target: "#name", value: "Eve" }, `the value is "Ada", not "Eve"`],
    ["value", { element, type: "checkbox", target: "#box", value: "true" }, null],
    ["value", { element, type: "checkbox", target: "#box", value: "false" }, `the value is "true"`],
    ["value", { element, type: "checkbox", target: "text=Agree", value: "true" }, null],
    ["value", { element, type: "checkbox", target: "#aria", value: "false" }, null],
    ["value", { element, type: "radio", target: "#no", value: "false" }, null],
    ["value", { element, type: "checkbox", target: "#list", value: "true" }, "is no checkbox"],
    ["value", { element, type: "combobox", target: "#colour", value: "b" }, null],
    ["value", { element, type: "combobox", target: "#colour", value: "Blue" }, null],
    ["value", { element, type: "combobox", target: "#colour", value: "Red" }, `the value is "b"`],
    ["value", { element, type: "slider", target: "#volume", value: "7" }, null],
    ["value", { element, type: "textbox", target: "#free", value: "typed" }, null],
    ["value", { element, type: "textbox", target: "#list", value: "One" }, "is no textbox"],
  ])("%s %j", async (name, args, fails) => {
    const { text, isError } = await mcp.call(`browser_verify_${name}`, args);
    expect(isError, text).toBe(fails !== null);
    expect(text).toContain(fails ?? "Verified");
    if (fails && !/is no role|element_not_found/.test(fails)) expect(text).toContain("verification_failed");
  });

  test("by a ref, in a frame, too", async () => {
    const seen = await open("/form");
    for (const [ref, type, value] of [
      [refIn(seen, `textbox "Name"`), "textbox", "Ada"],
      [refIn(seen, "Search here"), "textbox", ""],
    ] as const)
      expect((await mcp.call("browser_verify_value", { element, type, target: ref, value })).text).toBe("Verified.");
  });
});

describe("locators are Playwright's own, and mean the element alone", () => {
  /** What Playwright itself makes of a locator. */
  const resolved = (locator: string): Locator => new Function("page", `return page.${locator}`)(page) as Locator;
  const located = async (target: string) => {
    const said = await mcp.call("browser_generate_locator", { element: "it", target });
    expect(said.isError, said.text).toBe(false);
    expect(said.structured).toEqual({ locator: said.text });
    return said.text;
  };

  test.each([
    ["role", "getByRole('button', { name: 'Go' })"],
    ["exact", "getByRole('button', { name: 'Save', exact: true })"],
    ["testid", String.raw`getByTestId('the \'one\'')`],
    ["placeholder", null],
    ["alt", "getByRole('img', { name: 'A red car' })"],
    ["text", "getByText('Only here')"],
    ["exacttext", "getByText('Price', { exact: true })"],
    ["title", "getByTitle('A hint')"],
    ["id", `locator('[id="a:b"]')`],
    ["odd", null],
    ["path", null],
    ["same", null],
    ["shadow", null],
    ["shadowbutton", "getByRole('button', { name: 'In the shadow' })"],
  ])("%s", async (it, wanted) => {
    await open("/names");
    const locator = await located(`[data-it=${it}]`);
    if (wanted !== null) expect(locator).toBe(wanted);
    expect(await resolved(locator).count(), locator).toBe(1);
    expect(await resolved(locator).getAttribute("data-it"), locator).toBe(it);
  });

  test("in frames of frames", async () => {
    const seen = await open("/form");
    for (const [words, text] of [
      [`button "Deep inside"`, "Deep inside"],
      [`button "Deepest"`, "Deepest"],
      [`button "Send it"`, "Send it"],
    ] as const) {
      const locator = await located(refIn(seen, words));
      expect(await resolved(locator).textContent(), locator).toBe(text);
      expect(locator.split("contentFrame()").length - 1).toBe({ "Send it": 0, "Deep inside": 1, Deepest: 2 }[text]);
    }
  });

  test("of a page that lies about itself, or says far too much, is refused or still right", async () => {
    await open("/names");
    const lies = [
      "CSS.escape = () => 'x'.repeat(1e6)",
      "Element.prototype.getAttribute = () => 'y'.repeat(5_000)",
      "Object.defineProperty(Element.prototype, 'parentElement', { get: () => null })",
    ];
    for (const lie of lies) {
      await open("/names");
      await mcp.call("browser_evaluate", { function: `() => { ${lie} }` });
      const said = await mcp.call("browser_generate_locator", { target: "[data-it=role]" });
      if (said.isError) expect(said.text).toMatch(/^Error \((element_unsuitable|element_ambiguous)\)/);
      else expect(await resolved(said.text).count(), said.text).toBe(1);
    }
  });

  test("of what is not there is refused", async () => {
    await open("/names");
    expect((await mcp.call("browser_generate_locator", { target: "e9999" })).text).toContain("stale_ref");
    expect((await mcp.call("browser_generate_locator", { target: "#nothing" })).text).toContain("element_not_found");
  });
});
