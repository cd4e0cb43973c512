import { describe, expect, test } from "bun:test";
import { aVm, fakeClient, hype } from "./harness.ts";

const reply = {
  proxy: { url: "http://ann:***@proxy.test:3128", bypass: ["*.lan"] },
  in_force: true,
  browser_restarted: true,
};
const asked: unknown[] = [];
const client = fakeClient({
  vms: {
    proxy: async () => reply,
    setProxy: async (...args: unknown[]) => {
      asked.push(args.slice(0, 2));
      return args[1] === null ? { proxy: null, in_force: true, browser_restarted: true } : reply;
    },
  },
});

describe("proxy", () => {
  test.each<[string[], string | undefined, unknown]>([
    [["http://ann:pw@proxy.test:3128"], undefined, { url: "http://ann:pw@proxy.test:3128", bypass: [] }],
    [["-", "--bypass", "a.test, *.lan"], "socks5://p\n", { url: "socks5://p", bypass: ["a.test", "*.lan"] }],
  ])("set %j", async (argv, stdin, proxy) => {
    asked.length = 0;
    const { code, stdout } = await hype(["proxy", "set", "demo", ...argv], { client, ...(stdin && { stdin }) });
    expect(code).toBe(0);
    expect(asked).toEqual([["demo", proxy]]);
    expect(stdout).toMatch(/proxy +http:\/\/ann:\*\*\*@proxy\.test:3128/);
    expect(stdout).toContain("Chromium was restarted");
  });
  test("get, for people and for machines", async () => {
    expect((await hype(["proxy", "get", "demo"], { client })).stdout).toMatch(/bypass +\*\.lan\n.*in force +yes/);
    expect(JSON.parse((await hype(["proxy", "get", "demo", "--json"], { client })).stdout)).toEqual(reply);
  });
  test("unset", async () => {
    asked.length = 0;
    expect((await hype(["proxy", "unset", "demo"], { client })).stdout).toMatch(/proxy +none/);
    expect(asked).toEqual([["demo", null]]);
  });
  test("a VM is created with one", async () => {
    const created: unknown[] = [];
    const creating = fakeClient({
      vms: {
        create: async (input) => {
          created.push(input.proxy);
          return aVm();
        },
      },
    });
    const words = ["vms", "create", "demo", "--no-wait", "--json"];
    await hype([...words, "--proxy", "http://p:1", "--proxy-bypass", "a.test"], { client: creating });
    await hype([...words, "--proxy", "-"], { client: creating, stdin: "socks5://a:b@p:2\n" });
    expect(created).toEqual([
      { url: "http://p:1", bypass: ["a.test"] },
      { url: "socks5://a:b@p:2", bypass: [] },
    ]);
    expect((await hype([...words, "--proxy-bypass", "a.test"], { client: creating })).code).toBe(2);
  });
});
