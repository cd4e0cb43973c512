import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { HypeError, Navigate } from "../../src/contract/index.ts";
import { httpProxy, socks5Proxy } from "../lib/proxies.ts";
import { request, World } from "./world.ts";

setDefaultTimeout(60_000);

const title = async (world: World, url: string) =>
  (await world.engine.guest("demo").navigate(v.parse(Navigate, { url }))).title;

test("a VM's proxy holds from its creation over restarts and servers, changes live, and its password is never shown", async () => {
  using site = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) =>
      new Response(`<title>${new URL(url).host}</title>`, { headers: { "content-type": "text/html" } }),
  });
  const options = { credentials: "ann:s3cr3t", leadsTo: site.port! };
  await using http = await httpProxy(options);
  await using socks = await socks5Proxy(options);
  await using first = new World();
  first.driver.guest = "agent";

  await first.engine.create(request("demo", { proxy: { url: http.url, bypass: [] } }));
  expect(first.driver.specs[0]?.cmdline).toMatch(/ hype\.proxy /);
  expect(await title(first, "http://one.test/")).toBe("one.test");
  expect(http.passed).toHaveLength(1);

  expect(await first.engine.setProxy("demo", { url: socks.url, bypass: [] })).toEqual({
    proxy: { url: `socks5://ann:***@127.0.0.1:${socks.port}`, bypass: [] },
    in_force: true,
    browser_restarted: false,
  });
  expect(await title(first, "http://two.test/")).toBe("two.test");
  expect([http.passed.length, socks.passed.length]).toEqual([1, 1]);

  await first.engine.restart("demo");
  expect(await title(first, "http://three.test/")).toBe("three.test");

  await first.engine.pause("demo");
  await expect(first.engine.setProxy("demo", null)).rejects.toMatchObject({ code: "vm_state_conflict" });
  expect(first.engine.proxy("demo").in_force).toBe(true);
  await first.engine.resume("demo");
  first.die();

  await using second = await first.next();
  expect(second.engine.proxy("demo").proxy?.url).toBe(`socks5://ann:***@127.0.0.1:${socks.port}`);
  expect(await title(second, "http://four.test/")).toBe("four.test");
  expect(socks.passed.map(({ host }) => host)).toEqual(["two.test", "three.test", "four.test"]);

  expect(await second.engine.setProxy("demo", null)).toEqual({ proxy: null, in_force: true, browser_restarted: true });
  await expect(title(second, "http://five.test/")).rejects.toMatchObject({ code: "navigation_failed" });
  expect(second.engine.get("demo")).toMatchObject({ status: "running", browser_restarts: 0 });
  await second.engine.stop("demo", { force: true });
  await second.engine.setProxy("demo", { url: http.url, bypass: [] });
  expect(second.engine.proxy("demo").in_force).toBe(false);

  const told = [JSON.stringify(second.events()), JSON.stringify(second.engine.list({}))].join();
  expect(second.types().filter((type) => type === "VM_PROXY_CHANGED")).toHaveLength(3);
  expect(told).toContain("ann:***");
  expect(told).not.toContain("s3cr3t");
  const console = second.engine.logFiles("demo").console;
  expect(readFileSync(join(console), "utf8")).not.toContain("s3cr3t");
  await second.engine.delete("demo");
  expect(second.leftovers()).toEqual([]);
});

test("a server that dies in the middle of a change: the guest gets what the row says", async () => {
  using site = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("x") });
  await using http = await httpProxy({ leadsTo: site.port! });
  await using first = new World();
  first.driver.guest = "agent";
  const { id } = await first.engine.create(request("demo"));
  await first.engine.guest("demo").setProxy({ url: http.url, bypass: [] }); // and the row does not say so yet
  first.die();
  first.offline((store) => store.vms.update(id, { intent: "proxy" }, "now"));
  await using second = await first.next();
  await second.engine.pause("demo"); // after whatever else is done to it
  await second.engine.resume("demo");
  await expect(title(second, "http://one.test/")).rejects.toMatchObject({ code: "navigation_failed" });
  expect(http.passed).toEqual([]);
  expect(second.store.vms.secrets(id)?.intent).toBeNull();
});

test("a guest that does not take its proxy is not running, and a change it does not take is not noted", async () => {
  await using world = new World(); // stubs know no proxy
  const proxy = { url: "http://ann:s3cr3t@127.0.0.1:1", bypass: [] };
  const thrown = await world.engine.create(request("demo", { proxy })).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(HypeError);
  expect(thrown).toMatchObject({ code: "boot_failed" });
  expect(world.engine.get("demo").status).toBe("crashed");
  await world.engine.create(request("other"));
  await expect(world.engine.setProxy("other", proxy)).rejects.toBeInstanceOf(HypeError);
  expect(world.engine.proxy("other").proxy).toBeNull();
  expect(world.types("other")).not.toContain("VM_PROXY_CHANGED");
});
