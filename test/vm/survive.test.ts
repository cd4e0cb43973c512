import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromium } from "playwright-core";
import type { Vm } from "../../src/contract/index.ts";
import { SealedHome, type Served } from "../lib/hype.ts";

/** VMs outlive the server, however it ends. */
describe("a server that is killed loses no VM", () => {
  let home: SealedHome;
  let server: Served;
  const names = ["one", "two"];
  const list = async (): Promise<Vm[]> =>
    (JSON.parse(await home.ok(["vms", "list", "--json"])) as { items: Vm[] }).items;

  beforeAll(async () => {
    home = new SealedHome();
    server = await home.serve();
    for (const name of names) await home.ok(["vms", "create", name]);
  }, 240_000);
  afterAll(() => home[Symbol.asyncDispose](), 60_000);

  test("kill -9: the next server has the same VMs, processes and pages", async () => {
    const before = await list();
    for (const name of names) await home.ok(["eval", name, `globalThis.mark = "${name}"`]);
    await server.stop("SIGKILL");
    server = await home.serve();
    const after = await list();
    expect(after.map(({ id, pid, status, generation }) => ({ id, pid, status, generation }))).toEqual(
      before.map(({ id, pid, generation }) => ({ id, pid, status: "running" as const, generation })),
    );
    for (const name of names) expect((await home.ok(["eval", name, "mark"])).trim()).toContain(name);
  }, 60_000);

  test("Playwright connects through the new server, and its disconnect leaves the browser alone", async () => {
    const url = (await home.ok(["cdp", "one"])).trim();
    const browser = await chromium.connectOverCDP(url);
    const page = await browser.contexts()[0]!.newPage();
    await page.goto("data:text/html,<title>Over the door</title><button onclick='this.textContent=1+1'>go</button>");
    await page.getByRole("button").click();
    expect(await page.getByRole("button").textContent()).toBe("2");
    expect((await page.screenshot()).subarray(1, 4).toString()).toBe("PNG");
    await browser.close();
    expect((await home.ok(["eval", "one", "1 + 1"])).trim()).toBe("2");
  }, 60_000);

  test("a second server on the same state is refused", async () => {
    const second = await home.run(["serve"]);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toContain("state_locked");
  });

  test("an orderly stop leaves VMs running too", async () => {
    const before = await list();
    expect(await server.stop("SIGTERM")).toBe(0);
    server = await home.serve();
    expect((await list()).map(({ pid, status }) => [pid, status])).toEqual(before.map(({ pid }) => [pid, "running"]));
  }, 60_000);

  test("a VMM that died while nobody watched is found crashed", async () => {
    const [victim] = await list();
    await server.stop("SIGKILL");
    process.kill(victim!.pid!, "SIGKILL");
    server = await home.serve();
    const found = (await list()).find(({ id }) => id === victim!.id)!;
    expect(found.status).toBe("crashed");
    expect(found.status_reason).not.toBeNull();
  }, 60_000);
});
