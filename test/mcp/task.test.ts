import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { World } from "../engine/world.ts";
import { refIn } from "../lib/browsing.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, ERAS } from "./world.ts";

setDefaultTimeout(180_000); // several real Chromiums start here

/** A shop behind a login: the session is a cookie, the basket lies in the browser's storage. */
function serveShop() {
  const page = (title: string, body: string, headers: Record<string, string> = {}) =>
    new Response(`<!doctype html><title>${title}</title><h1>${title}</h1>${body}`, {
      headers: { "content-type": "text/html; charset=utf-8", ...headers },
    });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const user = /user=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
      if (pathname === "/login" && request.method === "POST") {
        const form = new URLSearchParams(await request.text());
        if (form.get("password") !== "tea") return page("Wrong password", "");
        const cookie = `user=${form.get("name")}; Path=/; Max-Age=3600; HttpOnly`;
        return new Response(null, { status: 303, headers: { location: "/shop", "set-cookie": cookie } });
      }
      if (!user)
        return page(
          "Log in",
          "<form method=post action=/login><label>Name <input name=name></label><label>Password <input name=password type=password></label><button>Log in</button></form>",
        );
      if (pathname === "/receipt")
        return new Response(`Receipt for ${user}: 2 items, 7.50\n`, {
          headers: { "content-type": "text/plain", "content-disposition": "attachment; filename=receipt.txt" },
        });
      return page(
        `Shop of ${user}`,
        `<button onclick="add(3)">Add tea</button><button onclick="add(4.5)">Add cake</button><p>Total: <output id=total></output></p><a href=/receipt>Receipt</a>
        <script>const basket = JSON.parse(localStorage.basket ?? "[]"); const show = () => total.textContent = basket.reduce((sum, it) => sum + it, 0).toFixed(2);
        const add = (price) => { basket.push(price); localStorage.basket = JSON.stringify(basket); show() }; show()</script>`,
      );
    },
  });
  return { origin: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

let world: World;
let server: TestServer;
beforeAll(() => {
  world = new World();
  world.driver.guest = "agent";
  server = startTestServer({
    context: {
      engine: world.engine,
      profiles: new Profiles({ config: world.config, store: world.store, log: silentLog }),
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

test.each(ERAS)("a whole task by tools alone, era %s", async (era) => {
  using shop = serveShop();
  const phases: string[] = [];
  await using mcp = await connectClient(`${server.url}/mcp?tools=all`, era);
  const vm = `buyer-${era}`;
  const must = async (name: string, args: object = {}, options = {}) => {
    const said = await mcp.call(name, { ...args }, options);
    expect(said.isError, `${name}: ${said.text}`).toBe(false);
    return said.text;
  };
  await must(
    "vm_create",
    { name: vm },
    { onprogress: ({ message }: { message?: string }) => phases.push(message ?? "") },
  );
  expect(phases.length).toBeGreaterThan(0);
  expect(await must("vm_create", { name: vm })).toContain("already there");

  const login = await must("browser_navigate", { vm, url: shop.origin, snapshot: true });
  await must("browser_fill_form", {
    vm,
    fields: [
      { target: refIn(login, "Name"), value: "ada" },
      { target: refIn(login, "Password"), value: "tea" },
    ],
  });
  const inside = await must("browser_click", { vm, target: refIn(login, 'button "Log in"'), snapshot: true });
  expect(inside).toContain("Shop of ada");
  await must("browser_click", { vm, target: refIn(inside, "Add tea") });
  await must("browser_click", { vm, target: refIn(inside, "Add cake") });
  await must("browser_wait_for", { vm, text: "7.50" });
  expect(await must("page_markdown", { vm, full: true })).toMatch(/Total:\s+7\.50/);

  await must("browser_click", { vm, target: refIn(inside, 'link "Receipt"') });
  const id = /\[([\w-]+)\] receipt\.txt/.exec(await untilListed(must, vm))?.[1] ?? "";
  expect(await must("browser_downloads", { vm, id })).toContain("Receipt for ada: 2 items, 7.50");
  await must("artifact_keep_download", { vm, id });

  await must("profile_save", { vm, name: `ada-${era}` });
  const second = `again-${era}`;
  await must("vm_create", { name: second, profile: `ada-${era}` });
  const there = await must("browser_navigate", { vm: second, url: shop.origin, snapshot: true });
  expect(there).toContain("Shop of ada");
  expect(there).toContain("7.50"); // the basket, too
  for (const name of [vm, second]) await must("vm_delete", { vm: name, confirm: true });
  await must("profile_delete", { name: `ada-${era}`, confirm: true });
  expect(await must("artifact_list", { of: vm })).toContain("receipt.txt"); // it outlives the VM
});

/** The download begins a moment after the click that leads to it. */
async function untilListed(must: (name: string, args: object) => Promise<string>, vm: string): Promise<string> {
  for (;;) {
    const listed = await must("browser_downloads", { vm });
    if (listed.includes("receipt.txt")) return listed;
  }
}
